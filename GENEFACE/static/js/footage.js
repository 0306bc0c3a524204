// Choosing a video to measure: one that is sent, a finished clip, an avatar, or a file on the server.
import { button, fill, h, icon } from "./dom.js";
import { clock, when } from "./format.js";
import { bind, t } from "./i18n.js";
import { notice } from "./problems.js";
import { dropZone, fileCard, forget, send } from "./uploader.js";

/** Inside `element`; `changed(source | null)` with `{upload}`, `{clip}`, `{path}` or `{avatar}`. */
export class FootagePicker {
  constructor(element, id, changed) {
    Object.assign(this, { element, id, changed, clips: [], avatars: [] });
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
    this.select = h("select", { class: "select", id: `${this.id}-select`, label: "evaluation.choose", on: { change: () => this.#chosen(this.select.value) } });
    const path = h("input", { class: "input", id: `${this.id}-path`, placeholder: "static/videos/….mp4", autocomplete: "off", spellcheck: false });
    const there = h("div", { class: "field" }, h("label", { for: `${this.id}-path`, t: "train.path" }),
      h("div", { class: "row tight", style: "flex-wrap:nowrap" }, path, button({ t: "train.path_use", style: "min-height:44px", on: () => this.usePath(path.value.trim()) })),
      h("span", { class: "help", t: "train.path_help" }));
    path.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.usePath(path.value.trim()); } });
    fill(this.element, this.select,
      dropZone({ titleKey: "evaluation.drop", helpKey: "evaluation.drop_help", accept: "video/*", take: (file) => this.take(file), low: true }),
      h("details", { class: "more" }, h("summary", { t: "train.on_server" }), h("div", { class: "inside" }, there)));
    this.#options();
  }

  /** Choose a finished clip. */
  useClip(clip) {
    this.#show(clip.text || clip.avatar_name, () => `${clip.avatar_name} · ${clock(clip.seconds)}`, clip.url);
    this.changed({ clip: clip.id });
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
      upload = await send(file, "video", (sent, total, speed) => (sent < total ? card.progress(sent, total, speed) : card.wait("upload.reading")), abort.signal);
      card.done(() => clock(upload.probe?.seconds ?? 0));
      card.replaceTools(button({ t: "train.another", class: "push", on: away }));
      card.add(h("video", { src: upload.url, controls: true, preload: "metadata", playsInline: true }));
      this.changed({ upload: upload.id });
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
    bind(none, () => t(this.clips.length + this.avatars.length ? "evaluation.choose" : "evaluation.no_clips"));
    fill(this.select, none,
      ...group("evaluation.clips", this.clips.map((clip) => h("option", { value: `clip:${clip.id}`,
        live: () => [clip.text.slice(0, 48) || clip.avatar_name, when(clip.created)].join(" · ") }))),
      ...group("evaluation.avatars", this.avatars.map((avatar) => h("option", { value: `avatar:${avatar.id}` }, avatar.name))));
    for (const one of this.select.querySelectorAll("optgroup")) one.label = t(one.dataset.i18nLabel);
  }

  #show(name, line, url) {
    this.select = null;
    const words = h("span", { class: "small soft", live: line });
    fill(this.element, h("div", { class: "card file" },
      h("div", { class: "row", style: "flex-wrap:nowrap" }, icon("create"), h("span", { class: "file-name" }, name), button({ t: "train.another", class: "push", on: () => this.offer() })),
      words, url ? h("video", { src: url, controls: true, preload: "metadata", playsInline: true }) : null));
  }
}
