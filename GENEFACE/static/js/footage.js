// Choosing a video to measure: one that is sent, a finished clip, an avatar, or a file on the server.
import { button, fill, h, icon } from "./dom.js";
import { clock, when } from "./format.js";
import { bind, t } from "./i18n.js";
import { notice } from "./problems.js";
import { dropZone, fileCard, forget, send } from "./uploader.js";

const PICTURE = /\.(jpe?g|png|webp|bmp|avif|heic|heif|tiff?)$/i;
const VIDEO = { drop: "evaluation.drop", help: "evaluation.drop_help", choose: "evaluation.choose", accept: "video/*" };

const seen = (src) => h("video", { src, controls: true, preload: "metadata", playsInline: true });

/** Whether a file is a picture, by its type or its name. */
export const isPicture = (file) => file.type.startsWith("image/") || PICTURE.test(file.name);

/**
 * Inside `element`; `changed(source | null, shown)` with `{upload}`, `{clip}`, `{path}` or `{avatar}`.
 * `shown` is `{kind, url, fps, seconds, figure}` where it can be looked at; `words` are the keys of `VIDEO`,
 * with `pictures: true` where a picture may be chosen as well.
 */
export class FootagePicker {
  constructor(element, id, changed, words = VIDEO) {
    Object.assign(this, { element, id, changed, words, clips: [], avatars: [] });
    element.classList.add("footage");
    this.offer();
    document.addEventListener("language", () => { if (this.select) this.#options(); });
  }

  /** What there is to choose from. */
  list(clips, avatars = []) {
    Object.assign(this, { clips, avatars });
    if (this.select) this.#options();
  }

  /** Nothing is chosen: a drop zone and a list. */
  offer() {
    this.changed(null);
    this.select = h("select", { class: "select", id: `${this.id}-select`, label: this.words.choose, on: { change: () => this.#chosen(this.select.value) } });
    const path = h("input", { class: "input", id: `${this.id}-path`, placeholder: "static/videos/….mp4", autocomplete: "off", spellcheck: false });
    const there = h("div", { class: "field" }, h("label", { for: `${this.id}-path`, t: "train.path" }),
      h("div", { class: "row tight", style: "flex-wrap:nowrap" }, path, button({ t: "train.path_use", style: "min-height:44px", on: () => this.usePath(path.value.trim()) })),
      h("span", { class: "help", t: "train.path_help" }));
    path.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.usePath(path.value.trim()); } });
    fill(this.element, this.select,
      dropZone({ titleKey: this.words.drop, helpKey: this.words.help, accept: this.words.accept, take: (file) => this.take(file), low: true }),
      h("details", { class: "more" }, h("summary", { t: "train.on_server" }), h("div", { class: "inside" }, there)));
    this.#options();
  }

  /** Choose a finished clip. */
  useClip(clip) {
    this.#show(clip.text || clip.avatar_name, () => `${clip.avatar_name} · ${clock(clip.seconds)}`, clip.url);
    this.changed({ clip: clip.id }, { kind: "video", url: clip.url, seconds: clip.seconds, figure: this.figure });
  }

  /** Choose an avatar, which will speak its own recording again. */
  useAvatar(avatar) {
    this.#show(avatar.name, () => t("evaluation.avatar_help"), null);
    this.changed({ avatar: avatar.id });
  }

  /** Choose a file that is on the server. */
  usePath(path) {
    if (!path) return;
    this.#show(path.split(/[\\/]/).pop(), () => t("train.path_chosen"), null);
    this.changed({ path });
  }

  /** Send a file. */
  async take(file) {
    const abort = new AbortController();
    let upload = null;
    const away = () => { abort.abort(); if (upload) forget(upload); this.offer(); };
    const card = fileCard(file, away);
    this.select = null;
    fill(this.element, card.element);
    card.progress(0, file.size || 1, 0);
    try {
      const kind = this.words.pictures && isPicture(file) ? "image" : "video";
      upload = await send(file, kind, (sent, total, speed) => (sent < total ? card.progress(sent, total, speed) : card.wait("upload.reading")), abort.signal);
      const { seconds = 0, fps, width, height } = upload.probe ?? {};
      card.done(() => (kind === "video" ? clock(seconds) : `${width}\u00a0×\u00a0${height}`));
      card.replaceTools(button({ t: "train.another", class: "push", on: away }));
      this.figure = h("div", { class: "footage-figure" }, kind === "video" ? seen(upload.url) : h("img", { src: upload.url, alt: file.name }));
      card.add(this.figure);
      this.changed({ upload: upload.id }, { kind, url: upload.url, fps, seconds, figure: this.figure });
    } catch (error) {
      if (error.name === "AbortError") return;
      card.done(() => t("upload.not_used"));
      card.replaceTools(button({ t: "train.another", class: "push", on: away }));
      card.add(notice(error, { retry: error.status === 0 || error.status >= 500 ? () => this.take(file) : null }));
    }
  }

  #chosen(value) {
    const [kind, id] = [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)];
    if (kind === "clip") this.useClip(this.clips.find((clip) => clip.id === id));
    if (kind === "avatar") this.useAvatar(this.avatars.find((avatar) => avatar.id === id));
  }

  #options() {
    const group = (key, entries) => (entries.length ? [h("optgroup", { label: key }, entries)] : []);
    const none = h("option", { value: "" });
    bind(none, () => t(this.clips.length + this.avatars.length ? this.words.choose : "evaluation.no_clips"));
    fill(this.select, none,
      ...group("evaluation.clips", this.clips.map((clip) => h("option", { value: `clip:${clip.id}`,
        live: () => [clip.text.slice(0, 48) || clip.avatar_name, when(clip.created)].join(" · ") }))),
      ...group("evaluation.avatars", this.avatars.map((avatar) => h("option", { value: `avatar:${avatar.id}` }, avatar.name))));
    for (const one of this.select.querySelectorAll("optgroup")) one.label = t(one.dataset.i18nLabel);
  }

  #show(name, line, url) {
    this.select = null;
    const words = h("span", { class: "small soft", live: line });
    this.figure = url ? h("div", { class: "footage-figure" }, seen(url)) : null;
    fill(this.element, h("div", { class: "card file" },
      h("div", { class: "row", style: "flex-wrap:nowrap" }, icon("create"), h("span", { class: "file-name" }, name), button({ t: "train.another", class: "push", on: () => this.offer() })),
      words, this.figure));
  }
}
