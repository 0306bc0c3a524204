// Which face, when the target shows several: boxes over the picture, one of which is chosen.
import { post } from "./api.js";
import { button, fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { notice } from "./problems.js";

const USUAL_RATE = 25;

/** Inside `element`; `value` is what a swap is asked for: `{who, order, position, frame}`. */
export class SwapFaces {
  constructor(element, numberOf) {
    Object.assign(this, { element, numberOf, value: { who: "all" }, asked: 0 });
    this.words = h("p", { class: "small soft", role: "status", id: "faces-found" });
    this.problem = h("div", { "aria-live": "polite" });
    this.all = button({ t: "swap.all_faces", class: "push", on: () => this.#choose(null) });
    this.look = button({ t: "swap.look_here", icon: "train", on: () => this.#look() });
    this.tools = h("div", { class: "row tight" }, this.words, this.all, this.look);
    fill(element, this.tools, this.problem);
  }

  /** Another target, or none. */
  use(source, shown) {
    Object.assign(this, { source, shown, boxes: [] });
    this.value = { who: "all" };
    this.asked += 1;
    fill(this.problem);
    this.layer?.remove();
    this.all.hidden = true;
    this.element.hidden = !source || !shown?.url;
    if (this.element.hidden) return;
    this.look.hidden = shown.kind !== "video";
    this.layer = h("div", { class: "boxes" });
    shown.figure.append(this.layer);
    shown.figure.querySelector("video")?.addEventListener("play", () => this.layer.replaceChildren());
    this.#look();
  }

  /** Number of the frame that the video shows now. */
  #frame() {
    const video = this.shown.figure.querySelector("video");
    return video ? Math.max(0, Math.floor(video.currentTime * (this.shown.fps || USUAL_RATE))) : 0;
  }

  async #look() {
    const mine = this.asked += 1, frame = this.#frame();
    this.shown.figure.querySelector("video")?.pause();
    this.#say(() => t("swap.looking"));
    this.look.disabled = true;
    fill(this.problem);
    try {
      const { faces } = await post("/api/faceswap/detect", { target: this.source, order: "left-right", frame });
      if (mine === this.asked) this.#show(faces, frame);
    } catch (error) {
      if (mine === this.asked) { this.#say(() => ""); fill(this.problem, notice(error, { number: this.numberOf(error), retry: () => this.#look() })); }
    }
    if (mine === this.asked) this.look.disabled = false;
  }

  #say(words) {
    const fresh = h("p", { class: "small soft", role: "status", id: "faces-found", live: words });
    this.words.replaceWith(fresh);
    this.words = fresh;
  }

  #show(faces, frame) {
    this.value = { who: "all" };
    this.frame = frame;
    this.all.hidden = true;
    this.boxes = faces.map((face) => {
      const box = h("button", { type: "button", class: "box", "aria-pressed": "false", on: { click: () => this.#choose(face.position) } }, h("span", {}, String(face.position + 1)));
      box.setAttribute("aria-label", t("swap.face_number", { n: face.position + 1 }));
      const [left, top, right, bottom] = face.box;
      for (const [name, share] of Object.entries({ left, top, width: right - left, height: bottom - top })) box.style.setProperty(`--${name}`, `${(share * 100).toFixed(2)}%`);
      return box;
    });
    this.#fit();
    fill(this.layer, this.boxes);
    if (!faces.length && this.shown.kind === "image") { this.#say(() => ""); fill(this.problem, notice({ code: "page.no_face_target" }, { number: "E05" })); return; }
    this.#say(() => (faces.length > 1 ? t("swap.faces_found", { n: faces.length }) : t(faces.length ? "swap.one_face" : "swap.no_face_here")));
  }

  /** The boxes lie on what is seen: letterboxes around it are left out. */
  #fit() {
    const seen = this.shown.figure.querySelector("img, video");
    const size = seen.tagName === "IMG" ? [seen.naturalWidth, seen.naturalHeight] : [seen.videoWidth, seen.videoHeight];
    if (size[0] && size[1]) this.layer.style.setProperty("--ratio", size[0] / size[1]);
    else seen.addEventListener(seen.tagName === "IMG" ? "load" : "loadedmetadata", () => this.#fit(), { once: true });
  }

  #choose(position) {
    const video = this.shown.kind === "video";
    this.value = position === null ? { who: "all" } : { who: video ? "reference" : "one", order: "left-right", position, ...(video ? { frame: this.frame } : {}) };
    this.boxes.forEach((box, n) => box.setAttribute("aria-pressed", String(n === position)));
    this.all.hidden = position === null;
    this.#say(() => (position === null ? t("swap.faces_found", { n: this.boxes.length }) : t(video ? "swap.this_person" : "swap.this_face", { n: position + 1 })));
  }
}
