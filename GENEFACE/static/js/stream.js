// One turn of speech as a stream: fragments of MP4 go into a video element as they come.
import { mediaSource } from "./live.js";

const KEEP_SECONDS = 8;

/** A video element with a MediaSource of its own; made ready with the MP4 header before the first fragment is there. */
export class Stream {
  constructor(video, failed) {
    this.video = video;
    this.failed = failed;
    this.queue = [];
    this.last = false;
  }

  /** Make it ready: the first fragment will then show at once. */
  open(mime, header) {
    const Source = mediaSource();
    const source = new Source();
    this.source = source;
    this.queue = [header];
    this.last = false;
    this.buffer = null;
    this.video.disableRemotePlayback = true;
    this.address = URL.createObjectURL(source);
    source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(this.address);
      if (this.source !== source) return;
      try {
        this.buffer = source.addSourceBuffer(mime);
      } catch (problem) { this.failed(problem); return; }
      this.buffer.addEventListener("updateend", () => this.#pump());
      this.#pump();
    }, { once: true });
    this.video.src = this.address;
  }

  get isOpen() { return Boolean(this.source); }

  /** A fragment. */
  push(bytes) {
    this.queue.push(bytes);
    this.#pump();
  }

  /** No more fragments. */
  finish() {
    this.last = true;
    this.#pump();
  }

  #pump() {
    const { buffer, source, video } = this;
    if (!buffer || buffer.updating || source.readyState !== "open") return;
    try {
      const played = video.currentTime - KEEP_SECONDS;
      if (buffer.buffered.length && buffer.buffered.start(0) < played - KEEP_SECONDS) buffer.remove(0, played);
      else if (this.queue.length) {
        buffer.appendBuffer(this.queue[0]);
        this.queue.shift();
      } else if (this.last) source.endOfStream();
    } catch (problem) {
      if (problem.name === "QuotaExceededError" && video.currentTime > 1) buffer.remove(0, video.currentTime - 0.5);
      else this.failed(problem);
    }
  }

  /** Seconds that are there beyond what is shown now. */
  get spare() {
    const { buffered, currentTime } = this.video;
    return buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
  }

  /** Drop everything. */
  close() {
    this.source = null;
    this.buffer = null;
    this.queue = [];
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }
}
