// Photos of one person: sent, looked at for a face, shown small, taken away.
import { post } from "./api.js";
import { button, fill, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { notice } from "./problems.js";
import { dropZone, fileCard, forget, send } from "./uploader.js";

const LARGEST_NUMBER = 20;

/** Inside `element`; `changed(photos)` with `{id, name, fresh}` of every photo that can be used. */
export class FacePhotos {
  constructor(element, changed) {
    Object.assign(this, { element, changed, photos: [] });
    this.strip = h("ul", { class: "photos", label: "swap.photos" });
    this.problems = h("div", { class: "stack tight", "aria-live": "polite" });
    this.sending = h("div", { class: "stack tight" });
    fill(element, this.strip, this.sending, this.problems,
      dropZone({ titleKey: "swap.drop_photo", helpKey: "swap.drop_photo_help", iconName: "train", accept: "image/*,.heic,.avif", take: (file) => this.take(file), low: true, many: true }));
  }

  /** Use photos that are on the server already; fresh ones that were there are forgotten. */
  use(photos) {
    for (const photo of this.photos) if (photo.fresh && !photos.some((one) => one.id === photo.id)) forget(photo);
    this.photos = photos;
    fill(this.problems);
    this.#draw();
  }

  /** What was sent is now under a consent and stays; `seen` elsewhere, it is not shown twice. */
  keep(seen) {
    for (const photo of this.photos) photo.fresh = false;
    this.strip.hidden = seen;
  }

  /** Send one and see whether it shows a face. */
  async take(file) {
    if (this.photos.length >= LARGEST_NUMBER) return;
    const abort = new AbortController();
    let upload = null;
    const card = fileCard(file, () => { abort.abort(); if (upload) forget(upload); card.element.remove(); });
    fill(this.problems);
    this.sending.append(card.element);
    card.progress(0, file.size || 1, 0);
    try {
      upload = await send(file, "image", (sent, total, speed) => (sent < total ? card.progress(sent, total, speed) : card.wait("upload.reading")), abort.signal);
      card.wait("swap.looking");
      const { faces } = await post("/api/faceswap/detect", { target: { upload: upload.id } }, { signal: abort.signal });
      if (!faces.length) { forget(upload); this.#refuse(file, { code: "page.no_face_photo" }, "E05"); }
      else {
        if (faces.length > 1) this.problems.append(notice({ code: "page.many_faces_photo", params: { n: faces.length, name: file.name } }, { kind: "warn" }));
        // Somebody who agreed before is one choice; another photo is the beginning of another one.
        this.photos = [...this.photos.filter((photo) => photo.fresh), { id: upload.id, name: file.name, fresh: true }];
        this.#draw();
      }
    } catch (error) {
      if (error.name !== "AbortError") this.#refuse(file, error);
    }
    card.element.remove();
  }

  #refuse(file, error, number = "") {
    this.problems.append(h("p", { class: "small file-name" }, file.name), notice(error, { number }));
  }

  #draw() {
    this.strip.hidden = false;
    fill(this.strip, this.photos.map((photo) => {
      const picture = h("img", { src: `/api/uploads/${photo.id}/file`, alt: photo.name || t("swap.photo"), width: 72, height: 72 });
      picture.addEventListener("error", () => picture.replaceWith(h("span", { class: "photo-none" }, icon("file"))));
      return h("li", {}, picture, button({ icon: "close", class: "square", label: "swap.take_away", on: () => this.#away(photo) }));
    }));
    this.changed(this.photos);
  }

  #away(photo) {
    if (photo.fresh) forget(photo);
    this.photos = this.photos.filter((one) => one !== photo);
    this.#draw();
  }
}
