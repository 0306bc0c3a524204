// The microphone of a live conversation: switched on it gives sound without a gap, and knows when somebody spoke.
import { ApiError } from "./api.js";
import { refusal } from "./recorder.js";

const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** Root mean square to 0…1, as loud as it sounds. */
const loudness = (rms) => Math.min(1, Math.max(0, (20 * Math.log10(rms + 1e-6) + 55) / 45));

const QUIET_SECONDS = 1, TOGETHER = 4;

/** One buffer of several. */
function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const all = new Int16Array(pieces.reduce((sum, piece) => sum + piece.byteLength / 2, 0));
  pieces.reduce((at, piece) => { all.set(new Int16Array(piece), at); return at + piece.byteLength / 2; }, 0);
  return all.buffer;
}

/**
 * `sound(buffer)`: 512 samples, 16-bit, 16 kHz, while nobody speaks four times as many a quarter as often;
 * `level(0…1)` about 30 times a second; `lost(error)` when the device went away; `changed()` when it was switched or
 * muted.  Times are those of `performance.now()`.
 */
export class Microphone {
  constructor({ sound, level, lost, changed }) {
    Object.assign(this, { sound, level, lost, changed });
    this.on = false;
    this.muted = false;
    this.silenced = false;
    this.behind = [];
    this.waiting = [];
    this.voice = { last: null, onset: null };
  }

  /** Whether this page may ask for a microphone at all; else the reason. */
  static missing() {
    if (!navigator.mediaDevices?.getUserMedia) {
      return new ApiError({ code: window.isSecureContext ? "page.microphone_unsupported" : "page.microphone_insecure" });
    }
    return window.AudioWorkletNode ? null : new ApiError({ code: "page.microphone_unsupported" });
  }

  /** Switch it on.  Throws `ApiError` that tells why not. */
  async start() {
    const missing = Microphone.missing();
    if (missing) throw missing;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
      this.context = new AudioContext({ latencyHint: "interactive" });
      await this.context.audioWorklet.addModule("/static/js/worklets/capture.js");
      if (this.context.state === "suspended") await this.context.resume();
      this.#connect();
    } catch (problem) {
      this.#release();
      throw refusal(problem);
    }
    this.on = true;
    this.changed();
  }

  #connect() {
    this.node = new AudioWorkletNode(this.context, "capture", { numberOfInputs: 1, numberOfOutputs: 1 });
    this.node.port.onmessage = ({ data }) => this.#take(data);
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    // A worklet that leads nowhere is never run in some browsers; this one gives silence.
    this.node.connect(this.context.destination);
    this.context.onstatechange = () => { if (this.context?.state === "interrupted" || this.context?.state === "suspended") this.context.resume().catch(() => {}); };
    const [track] = this.stream.getAudioTracks();
    track.onended = () => { this.stop(); this.lost(new ApiError({ code: "page.microphone_absent" })); };
    track.onmute = track.onunmute = () => { this.silenced = track.muted; this.changed(); };
    track.enabled = !this.muted;
    this.silenced = track.muted;
  }

  #take({ sound, time, level, last, onset }) {
    if (!this.node) return;
    // A message may arrive late, never early: the earliest of the last ten seconds tells how the two clocks stand.
    this.behind.push(performance.now() - time * 1000);
    if (this.behind.length > 312) this.behind.shift();
    const offset = this.behind.reduce((least, each) => Math.min(least, each), Infinity);
    this.voice = { last: last === null ? null : last * 1000 + offset, onset: onset === null ? null : onset * 1000 + offset };
    this.level(this.muted ? 0 : loudness(level));
    this.waiting.push(sound);
    const quiet = last === null || time - last > QUIET_SECONDS;
    if (quiet && this.waiting.length < TOGETHER) return;
    this.sound(joined(this.waiting));
    this.waiting = [];
  }

  /** Go on, but hear nothing. */
  mute(muted) {
    this.muted = muted;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
    this.changed();
  }

  /** Switch it off: the browser's sign of recording goes out. */
  stop() {
    if (!this.on) return;
    this.on = false;
    this.#release();
    this.changed();
  }

  #release() {
    this.node?.port.postMessage("end");
    this.node = null;
    this.stream?.getTracks().forEach((track) => { track.onended = null; track.stop(); });
    this.stream = null;
    this.context?.close().catch(() => {});
    this.context = null;
    this.behind = [];
    this.waiting = [];
    this.voice = { last: null, onset: null };
    this.silenced = false;
    this.level(0);
  }
}
