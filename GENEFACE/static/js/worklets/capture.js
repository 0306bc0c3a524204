// The microphone as the server wants it: 16 kHz, mono, 16 bits, 512 samples a message; and when somebody was last loud.
const RATE = 16_000;
const SAMPLES = 512;
const FRAME = RATE / 100;
const CUTOFF = 7_200;
const CROSSINGS = 40;
const QUIETEST = 0.005;
const ABOVE_NOISE = 4;
const FRAMES_OF_SPEECH = 3;
const GAP = 0.25;

const divisor = (a, b) => (b ? divisor(b, a % b) : a);

/** Changes the sampling rate by a fraction: a low-pass (sinc under a Blackman window), one set of taps a phase. */
class Resampler {
  constructor(from, to) {
    const common = divisor(from, to);
    this.up = to / common;
    this.down = from / common;
    const cutoff = Math.min(CUTOFF, 0.45 * from) / from;
    const half = Math.ceil(CROSSINGS / (2 * cutoff) / 2);
    this.length = 2 * half;
    this.phases = Array.from({ length: this.up }, (_, phase) => {
      const taps = Float32Array.from({ length: this.length }, (__, n) => {
        const x = n - half + 1 - phase / this.up;
        const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
        const w = Math.PI * x / half;
        return Math.abs(x) > half ? 0 : sinc * (0.42 + 0.5 * Math.cos(w) + 0.08 * Math.cos(2 * w));
      });
      const sum = taps.reduce((total, tap) => total + tap, 0);
      return taps.map((tap) => tap / sum);
    });
    this.kept = new Float32Array(this.length * 2 + 1024);
    this.filled = this.length;
    this.position = 0;
    this.phase = 0;
  }

  /** Take input; `give(sample)` for every sample of output that is complete. */
  push(input, give) {
    this.kept.set(input, this.filled);
    this.filled += input.length;
    while (this.position + this.length <= this.filled) {
      const taps = this.phases[this.phase];
      let sum = 0;
      for (let n = 0; n < this.length; n += 1) sum += taps[n] * this.kept[this.position + n];
      give(sum);
      this.phase += this.down;
      this.position += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    const used = Math.min(this.position, this.filled);
    this.kept.copyWithin(0, used, this.filled);
    this.filled -= used;
    this.position -= used;
  }
}

/** Loud or not, 100 times a second: against the noise of the room, and only when it lasts. */
class Voice {
  constructor() {
    this.noise = 0.02;
    this.run = 0;
    this.last = null;
    this.onset = null;
    this.level = 0;
  }

  /** One frame of 10 ms that ended at `time`, with this root mean square. */
  frame(rms, time) {
    this.level = Math.max(rms, this.level * 0.85);
    this.noise = rms < this.noise ? this.noise + 0.1 * (rms - this.noise) : Math.min(0.02, this.noise * 1.002 + 1e-7);
    this.run = rms > Math.max(QUIETEST, ABOVE_NOISE * this.noise) ? this.run + 1 : 0;
    if (this.run < FRAMES_OF_SPEECH) return;
    if (this.last === null || time - this.last > GAP) this.onset = time - 0.01 * this.run;
    this.last = time;
  }
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.voice = new Voice();
    this.resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
    this.message = new Int16Array(SAMPLES);
    this.count = 0;
    this.energy = 0;
    this.framed = 0;
    this.take = this.take.bind(this);
    this.ended = false;
    this.port.onmessage = () => { this.ended = true; };
  }

  take(sample) {
    const limited = Math.max(-1, Math.min(1, sample));
    this.message[this.count] = Math.round(limited * 32767);
    this.count += 1;
    this.energy += sample * sample;
    this.framed += 1;
    const now = currentTime + 128 / sampleRate;
    if (this.framed === FRAME) {
      this.voice.frame(Math.sqrt(this.energy / FRAME), now);
      this.energy = 0;
      this.framed = 0;
    }
    if (this.count < SAMPLES) return;
    const sound = this.message.buffer;
    this.port.postMessage({ sound, time: now, level: this.voice.level, last: this.voice.last, onset: this.voice.onset }, [sound]);
    this.message = new Int16Array(SAMPLES);
    this.count = 0;
  }

  process([channels]) {
    if (this.ended) return false;
    const [first] = channels;
    if (!first) return true;
    let mono = first;
    if (channels.length > 1) {
      mono = new Float32Array(first.length);
      for (const channel of channels) for (let n = 0; n < mono.length; n += 1) mono[n] += channel[n] / channels.length;
    }
    if (this.resampler) this.resampler.push(mono, this.take);
    else mono.forEach(this.take);
    return true;
  }
}

registerProcessor("capture", Capture);
