// The face at rest: a loop whose every frame has a number, so that speech can begin and end where the two agree.
import { calm } from "./dom.js";

const FPS = 25;
const HURRY = 2;

/** The loop in `video`, `cycle` frames long. */
export class AtRest {
  constructor(video) {
    this.video = video;
    this.cycle = 1;
    // Without movement nothing "plays": the first picture is enough to be shown.
    video.addEventListener("loadeddata", () => { if (calm()) video.classList.add("on"); });
  }

  /** Show another loop. */
  open(url, cycle) {
    this.cycle = Math.max(1, cycle);
    if (this.video.getAttribute("src") !== url) {
      this.video.loop = true;
      this.video.src = url;
    }
    this.go();
  }

  /** The frame that is shown now. */
  get frame() { return Math.floor(this.video.currentTime * FPS + 0.01) % this.cycle; }

  /** How many frames the loop must still go to show `frame`; negative when it is past it. */
  ahead(frame) {
    const distance = (((frame - this.frame) % this.cycle) + this.cycle) % this.cycle;
    return distance > this.cycle / 2 ? distance - this.cycle : distance;
  }

  /** Come as near to `frame` as a person does not notice, and wait there: faster when before it, still when past it. */
  approach(frame) {
    cancelAnimationFrame(this.steering);
    const steer = () => {
      const left = this.ahead(frame);
      if (left <= 0 || left > FPS || this.video.paused) { this.#rest(); return; }
      this.video.playbackRate = left > 1 ? HURRY : 1;
      this.steering = requestAnimationFrame(steer);
    };
    steer();
  }

  #rest() {
    this.video.pause();
    this.video.playbackRate = 1;
  }

  /** Wait, unseen, at the frame where the speech will end (or was stopped); resolves when that frame is there. */
  seek(frame) {
    cancelAnimationFrame(this.steering);
    this.#rest();
    const time = ((((frame % this.cycle) + this.cycle) % this.cycle) + 0.5) / FPS;
    if (!Number.isFinite(this.video.duration) || Math.abs(this.video.currentTime - time) < 0.5 / FPS) return Promise.resolve();
    return new Promise((resolve) => {
      this.video.addEventListener("seeked", resolve, { once: true });
      this.video.currentTime = Math.min(time, this.video.duration - 0.001);
    });
  }

  /** Move again. */
  go() {
    cancelAnimationFrame(this.steering);
    this.video.playbackRate = 1;
    if (!calm()) this.video.play().catch(() => {});
  }
}
