// The face speaking: one stream of video a turn, laid over the loop at rest and taken away where the two agree.
import { h } from "./dom.js";
import { Stream } from "./stream.js";

const FPS = 25;
const REPORT_MS = 250;
const FADE_MS = 80;
const SEEK_MS = 120;
const FROZEN_MS = 300;
const UNSEEN = 0.4;

/**
 * `on` is told: `shown(turn, {at, arrived})` when the first frame is on the screen, `played(turn, seconds)`, `time(turn,
 * seconds)` at every frame, `done(turn)`, `rest()` when the loop shows again, `offset(ms)`, `stalled(turn)`,
 * `failed(turn, problem)`, `blocked(play)` when the browser wants a click before it gives sound.
 */
export class Speaking {
  constructor(atRest, on) {
    this.atRest = atRest;
    this.on = on;
    this.mime = "";
    this.header = null;
    this.now = null;
    this.gone = 0;
    this.leaving = null;
    this.streams = [0, 1].map(() => {
      const video = h("video", { class: "stage-live", playsInline: true, "aria-hidden": "true", tabIndex: -1 });
      const stream = new Stream(video, (problem) => this.#broken(stream, problem));
      video.addEventListener("waiting", () => this.#waits(stream));
      video.addEventListener("timeupdate", () => this.#goes(stream));
      video.addEventListener("ended", () => this.#ended(stream));
      video.addEventListener("error", () => { if (stream.isOpen) this.#broken(stream, video.error); });
      atRest.video.after(video);
      return stream;
    });
    setInterval(() => this.#look(), REPORT_MS);
  }

  get turn() { return this.now?.turn ?? 0; }

  get active() { return Boolean(this.now); }

  get held() { return Boolean(this.now?.held); }

  get heard() { return this.now?.stream.video.currentTime ?? 0; }

  /** Volume of what is said, 0 to 1. */
  set volume(volume) {
    for (const { video } of this.streams) { video.volume = volume; video.muted = volume === 0; }
  }

  /** Called in a click or key press: from now on the browser lets these videos have sound. */
  bless() {
    for (const stream of this.streams) if (stream.video.paused && stream !== this.now?.stream) stream.video.play().catch(() => {});
  }

  /** The header of every turn's video. */
  prepare(mime, header) {
    if (this.header?.length === header.length && this.mime === mime && this.header.every((byte, n) => byte === header[n])) return;
    this.mime = mime;
    this.header = header.slice();
    for (const stream of this.streams) if (stream !== this.now?.stream) stream.open(this.mime, this.header);
  }

  /** The first fragment of a turn follows; its first picture is `frame` of the endless movement. */
  begin(turn, frame) {
    if (turn <= this.gone) return;
    this.stop();
    const stream = this.streams.find((each) => each !== this.leaving);
    if (!stream.isOpen && this.header) stream.open(this.mime, this.header);
    this.now = { turn, frame, stream, arrived: null, shown: false, held: false, seconds: null, drawn: 0, frozen: false };
    this.atRest.approach(frame);
    this.#play();
    this.#frames(this.now);
  }

  #play() {
    const { now } = this;
    now.stream.video.play().catch((problem) => {
      if (this.now !== now || problem.name !== "NotAllowedError") return;
      this.on.blocked(() => now === this.now && this.#play());
    });
  }

  fragment(turn, bytes) {
    if (this.now?.turn !== turn) return;
    this.now.arrived ??= performance.now();
    this.now.stream.push(bytes);
  }

  /** No more fragments; the turn's video is `seconds` long. */
  end(turn, seconds) {
    if (this.now?.turn !== turn) return;
    this.now.seconds = seconds;
    this.now.stream.finish();
    if (this.now.shown) this.#foresee(this.now);
  }

  #frames(now) {
    const { video } = now.stream;
    const each = (_, told) => {
      if (this.now !== now) return;
      const clock = performance.now();
      now.drawn = clock;
      now.frozen = false;
      const lead = told.expectedDisplayTime - clock;
      if (!now.shown) this.#show(now, clock + Math.max(0, lead));
      if (!video.paused) this.on.offset((video.currentTime - told.mediaTime) * 1000 + lead);
      this.on.time(now.turn, told.mediaTime);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback?.(each);
  }

  /** About four times a second, also in a tab that nobody sees, where no frame is presented. */
  #goes(stream) {
    const { now } = this, at = stream.video.currentTime;
    if (now?.stream !== stream || !at || now.held) return;
    if (!now.shown) {
      if (at < UNSEEN && stream.video.requestVideoFrameCallback) return;
      this.#show(now, performance.now() - at * 1000);
    }
    this.on.time(now.turn, at);
    this.on.played(now.turn, at);
  }

  #show(now, at) {
    now.shown = true;
    now.stream.video.classList.add("on");
    this.on.shown(now.turn, { at, arrived: now.arrived });
    // What the loop does underneath is not seen: it need not be drawn.
    setTimeout(() => { if (this.now === now) this.#foresee(now); }, FADE_MS);
  }

  /** The loop waits where the speech will end, where that is known. */
  #foresee(now) {
    if (now.seconds === null) this.atRest.video.pause();
    else this.atRest.seek(now.frame + Math.round(now.seconds * FPS));
  }

  #waits(stream) {
    const { now } = this;
    if (now?.stream !== stream || !now.shown || now.held || stream.video.paused) return;
    const left = now.seconds === null ? Infinity : now.seconds - stream.video.currentTime;
    if (left < 0.1 || now.frozen) return;
    now.frozen = true;
    this.on.stalled(now.turn);
  }

  #look() {
    const { now } = this;
    if (!now?.shown || now.held) return;
    // Sound may go on while the picture stands still: a browser tells of no "waiting" then.
    const left = (now.seconds ?? Infinity) - now.stream.video.currentTime;
    if (!now.drawn || now.frozen || document.hidden || left < FROZEN_MS / 1000 || performance.now() - now.drawn < FROZEN_MS) return;
    now.frozen = true;
    this.on.stalled(now.turn);
  }

  #ended(stream) {
    const { now } = this;
    if (now?.stream !== stream) return;
    this.on.played(now.turn, stream.video.currentTime);
    this.on.done(now.turn);
    this.#leave(now.frame + Math.round((now.seconds ?? stream.video.currentTime) * FPS));
  }

  #broken(stream, problem) {
    const { now } = this;
    if (now?.stream !== stream) { stream.close(); return; }
    this.on.failed(now.turn, problem);
    this.stop();
  }

  /** Somebody seems to speak: be still at once, and be ready to be at rest. */
  hold(turn) {
    const { now } = this;
    if (!now || now.turn !== turn || now.held) return false;
    now.held = true;
    now.stream.video.pause();
    this.on.played(turn, now.stream.video.currentTime);
    if (now.shown) this.atRest.seek(this.#frame(now));
    return true;
  }

  /** It was nothing. */
  resume(turn) {
    const { now } = this;
    if (!now?.held || now.turn !== turn) return;
    now.held = false;
    now.drawn = 0;
    if (now.shown) this.#foresee(now);
    this.#play();
  }

  #frame(now) { return now.frame + Math.floor(now.stream.video.currentTime * FPS); }

  /** Silent and still at once, everything of this turn and those before it dropped; the seconds that were heard. */
  stop(turn = this.turn) {
    this.gone = Math.max(this.gone, turn);
    const { now } = this;
    if (!now || now.turn > turn) return 0;
    now.stream.video.pause();
    const { heard } = this;
    this.#leave(this.#frame(now));
    return heard;
  }

  /** The loop shows again, from the frame the speech was left at. */
  #leave(frame) {
    const { stream, shown } = this.now;
    this.now = null;
    this.leaving = stream;
    const there = shown ? Promise.race([this.atRest.seek(frame), new Promise((late) => setTimeout(late, SEEK_MS))]) : Promise.resolve();
    there.then(() => {
      stream.video.classList.remove("on");
      if (!this.now) { this.atRest.go(); this.on.rest(); }
      setTimeout(() => this.#renew(stream), FADE_MS + 20);
    });
  }

  #renew(stream) {
    if (this.leaving === stream) this.leaving = null;
    if (this.now?.stream === stream) return;
    stream.close();
    if (this.header) stream.open(this.mime, this.header);
  }

  /** Another session: its turns are counted from the beginning. */
  reset() {
    this.stop();
    this.gone = 0;
    this.header = null;
    for (const stream of this.streams) if (stream !== this.leaving) stream.close();
  }
}
