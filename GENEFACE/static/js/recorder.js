// The microphone: recorded with a level meter, refused with a clear word.
import { ApiError } from "./api.js";

/** Why the microphone cannot be used, as an error the page can explain. */
export function refusal(problem) {
  const codes = { NotAllowedError: "page.microphone_refused", SecurityError: "page.microphone_refused",
    NotFoundError: "page.microphone_absent", NotReadableError: "page.microphone_busy" };
  return new ApiError({ code: codes[problem?.name] ?? "page.microphone_failed", message: problem?.message ?? "", params: { reason: problem?.message ?? "" } });
}

const kinds = ["audio/webm;codecs=opus", "audio/webm", "audio/ogg;codecs=opus", "audio/mp4"];

/** Records one utterance at a time; `onLevel(0…1)` while it does. */
export class Recorder {
  constructor(onLevel = () => {}) {
    this.onLevel = onLevel;
  }

  get running() { return Boolean(this.media); }

  /** Begin.  Throws `ApiError` when there is no microphone or it is refused. */
  async start() {
    if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
      throw new ApiError({ code: window.isSecureContext ? "page.microphone_unsupported" : "page.microphone_insecure" });
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
    } catch (problem) {
      throw refusal(problem);
    }
    const mimeType = kinds.find((kind) => MediaRecorder.isTypeSupported(kind));
    this.pieces = [];
    this.media = new MediaRecorder(this.stream, mimeType ? { mimeType } : undefined);
    this.media.ondataavailable = ({ data }) => { if (data.size) this.pieces.push(data); };
    this.media.start(250);
    this.begun = performance.now();
    this.#measure();
  }

  #measure() {
    this.context = new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.context.createMediaStreamSource(this.stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const tick = () => {
      if (!this.media) return;
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      this.onLevel(Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 55) / 45)), this.seconds);
      requestAnimationFrame(tick);
    };
    tick();
  }

  get seconds() { return (performance.now() - this.begun) / 1000; }

  /** End; the recording as a Blob, or null when nothing was recorded. */
  async stop() {
    const { media } = this;
    if (!media) return null;
    const stopped = new Promise((resolve) => { media.onstop = resolve; });
    media.stop();
    await stopped;
    this.#release();
    const blob = new Blob(this.pieces, { type: media.mimeType || "audio/webm" });
    return blob.size ? blob : null;
  }

  /** End and throw the recording away. */
  drop() {
    if (!this.media) return;
    this.media.onstop = null;
    this.media.stop();
    this.#release();
  }

  #release() {
    this.media = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.onLevel(0, 0);
  }
}
