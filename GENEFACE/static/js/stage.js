// The stage: the face at rest, the face speaking, and what is happening to it.
import { button, calm, fill, h, icon, svg } from "./dom.js";
import { bind, t, tOr } from "./i18n.js";
import { left, percent } from "./format.js";

function ring() {
  const arc = svg("circle", { cx: 50, cy: 50, r: 45, pathLength: 100 });
  const words = h("span");
  const element = h("div", { class: "ring wait" },
    svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, svg("circle", { cx: 50, cy: 50, r: 45 }), arc), words);
  return {
    element,
    set(fraction) {
      element.classList.toggle("wait", fraction === null);
      arc.style.strokeDashoffset = 100 - 100 * (fraction ?? 0.25);
      words.textContent = fraction === null ? "" : percent(fraction);
    },
  };
}

function silhouette() {
  return svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" },
    svg("path", { d: "M31 12C15 30 16 68 50 90c34-22 35-60 19-78" }),
    svg("path", { d: "M38 62c7 6 17 6 24 0M34 40c2-2 6-2 8 0M58 40c2-2 6-2 8 0M50 44v8" }));
}

/** One stage in a `<figure class="stage">`. */
export class Stage {
  constructor(figure, { emptyKey = "stage.empty", note = true } = {}) {
    this.figure = figure;
    this.back = h("div", { class: "stage-back" });
    this.empty = h("div", { class: "stage-empty" }, silhouette(), h("p", { t: emptyKey }));
    this.picture = h("img", { class: "stage-poster", alt: "", hidden: true });
    this.idle = h("video", { class: "stage-idle", muted: true, loop: true, playsInline: true, preload: "auto", "aria-hidden": "true", tabIndex: -1 });
    this.clip = h("video", { class: "stage-clip", playsInline: true, preload: "auto" });
    this.caption = h("div", { class: "stage-caption", hidden: true });
    this.playButton = h("button", { type: "button", class: "stage-play", hidden: true, label: "stage.play" }, icon("play"));
    this.ring = ring();
    this.veilText = h("div", { role: "status" });
    this.veilLeft = h("div", { class: "small numbers" });
    this.veilStop = button({ t: "word.cancel", icon: "stop", on: () => this.onCancel?.() });
    this.veil = h("div", { class: "stage-veil", hidden: true }, this.ring.element, this.veilText, this.veilLeft, this.veilStop);
    this.note = note ? h("figcaption", { class: "stage-note", t: "bar.ai_badge", hidden: true }) : null;
    this.status = h("div", { class: "stage-status", hidden: true }, h("span", { class: "dot" }), h("span"));
    fill(figure, this.back, this.empty, this.picture, this.idle, this.clip, this.caption, this.note, this.status, this.playButton, this.veil);
    this.picture.addEventListener("load", () => this.#fit(this.picture.naturalWidth / this.picture.naturalHeight));
    this.clip.addEventListener("loadedmetadata", () => this.#fit(this.clip.videoWidth / this.clip.videoHeight));
    this.idle.addEventListener("playing", () => this.idle.classList.toggle("on", this.idle.hasAttribute("src")));
  }

  #fit(ratio) {
    const own = Number(this.figure.style.getPropertyValue("--ratio")) || 1;
    this.figure.classList.toggle("contain", ratio < own * 0.74 || ratio > own * 1.36);
  }

  /** An avatar at rest. */
  show(avatar) {
    this.stop();
    this.avatar = avatar;
    const ratio = avatar?.width && avatar?.height ? avatar.width / avatar.height : 1;
    this.figure.style.setProperty("--ratio", Math.min(16 / 9, Math.max(1, ratio)).toFixed(4));
    if (this.note) this.note.hidden = !avatar;
    this.still(avatar?.poster, () => (avatar ? t("stage.face_of", { name: avatar.name }) : ""));
    this.idle.classList.remove("on");
    this.idle.removeAttribute("src");
    this.idle.load();
    if (avatar?.idle && !calm()) {
      this.idle.src = avatar.idle;
      this.idle.play().catch(() => {});
    }
  }

  /** A picture, or nothing. */
  still(url, alt = () => "") {
    this.empty.hidden = Boolean(url);
    this.picture.hidden = !url;
    this.back.style.backgroundImage = url ? `url("${url}")` : "";
    if (url) { this.picture.src = url; this.picture.alt = alt(); }
    else this.picture.removeAttribute("src");
  }

  /** Play a finished clip with sound; resolves when it ended or was stopped. */
  play(url, { controls = false, text = "", rest = false } = {}) {
    this.busy(null);
    this.playButton.hidden = true;
    this.empty.hidden = true;
    if (this.note) this.note.hidden = false;
    this.note?.classList.toggle("top", controls);
    this.clip.controls = controls;
    this.clip.tabIndex = controls ? 0 : -1;
    if (this.clip.getAttribute("src") !== url) this.clip.src = url;
    this.clip.currentTime = 0;
    this.clip.classList.add("on");
    this.say(text);
    return new Promise((resolve) => {
      this.settle?.("replaced");
      this.settle = (how) => { this.settle = null; this.say(""); resolve(how); };
      this.clip.onended = () => {
        if (rest) this.clip.classList.remove("on");
        this.settle?.("ended");
      };
      this.clip.onerror = () => this.settle?.("error");
      this.clip.play().catch((problem) => {
        if (problem.name !== "NotAllowedError") return;
        this.offer(() => this.clip.play());
      });
    });
  }

  /** A large play button that runs `action`. */
  offer(action) {
    this.playButton.hidden = !action;
    this.playButton.onclick = () => { this.playButton.hidden = true; action(); };
  }

  /** Back to rest. */
  stop() {
    this.clip.pause();
    this.clip.classList.remove("on");
    this.settle?.("stopped");
  }

  /** Words under the mouth, or none. */
  say(text) {
    this.caption.hidden = !text;
    fill(this.caption, text ? h("span", {}, text) : null);
  }

  /** A short state in the corner, e.g. "thinking". */
  tell(key) {
    this.status.hidden = !key;
    if (key) bind(this.status.lastChild, () => t(key));
  }

  /** Show how far a job is; null takes it away. */
  busy(job, onCancel) {
    this.veil.hidden = !job;
    if (!job) return;
    this.onCancel = onCancel;
    this.veilStop.hidden = !onCancel;
    this.veilStop.disabled = Boolean(job.cancelling);
    this.ring.set(job.state === "running" && !job.cancelling ? job.fraction : null);
    bind(this.veilText, () => stageWords(job));
    bind(this.veilLeft, () => (job.state === "running" && !job.cancelling ? left(job.eta) : ""));
  }
}

/** What a job is doing, in words. */
export function stageWords(job) {
  if (job.cancelling) return t("job.cancelling");
  if (job.state === "queued") return job.position ? t("job.queued_place", { n: job.position + 1 }) : t("job.queued");
  return tOr(`stage_${job.kind}.${job.stage}`, tOr(`stage.${job.stage}`, t("job.running")));
}
