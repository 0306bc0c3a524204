// Where a new face comes from: a video, a photo, or a file that is on the server already.
import { button, fill, h } from "./dom.js";
import { clock, number, percent } from "./format.js";
import { t, tOr } from "./i18n.js";
import { check } from "./jobs.js";
import { notice } from "./problems.js";
import { dropZone, fileCard, forget, send } from "./uploader.js";

const PHOTO = /\.(jpe?g|png|webp|bmp|avif|heic)$/i;
const isPhoto = (file) => file.type.startsWith("image/") || PHOTO.test(file.name);

/**
 * The source of a new face inside `element`.  `on.ready(source)` with
 * `{upload | path, kind, name, report}` when it can be used, `on.none()` when
 * there is none any more, `on.picture(url | null)` with the face that was found.
 */
export class Source {
  constructor(element, on) {
    this.element = element;
    this.on = on;
    this.offer();
    window.addEventListener("beforeunload", (event) => { if (this.sending) event.preventDefault(); });
  }

  /** The drop zone, and the way to a file on the server. */
  offer() {
    const path = h("input", { class: "input", id: "path", placeholder: "GeneFace-main/data/raw/videos/May.mp4", autocomplete: "off", spellcheck: false });
    const use = h("form", { class: "field", on: { submit: (event) => { event.preventDefault(); this.#path(path.value.trim()); } } },
      h("label", { for: "path", t: "train.path" }),
      h("div", { class: "row tight", style: "flex-wrap:nowrap" }, path, h("button", { type: "submit", class: "button", style: "min-height:44px", t: "train.path_use" })),
      h("span", { class: "help", t: "train.path_help" }));
    fill(this.element,
      dropZone({ titleKey: "train.drop", helpKey: "train.drop_help", accept: "video/*,image/*", take: (file) => this.take(file) }),
      h("ul", { class: "chips", label: "train.tips" }, ["tip_length", "tip_front", "tip_sound", "tip_still"].map((key) => h("li", { class: "chip", t: `train.${key}` }))),
      h("details", { class: "more" }, h("summary", { t: "train.on_server" }), h("div", { class: "inside" }, use)));
    this.on.none();
    this.on.picture(null);
  }

  #path(path) {
    if (!path) return;
    const name = path.split(/[\\/]/).pop();
    const card = fileCard({ name }, () => this.offer());
    card.done(() => t("train.path_chosen"));
    card.replaceTools(button({ t: "train.another", class: "push", on: () => this.offer() }));
    fill(this.element, card.element);
    this.on.ready({ path, kind: "video", name });
  }

  /** Send and check a file. */
  async take(file) {
    this.abort?.abort();
    const abort = this.abort = new AbortController();
    const kind = isPhoto(file) ? "image" : "video";
    let upload = null;
    const away = () => { abort.abort(); if (upload) forget(upload); this.sending = false; this.offer(); };
    const card = fileCard(file, away);
    fill(this.element, card.element);
    this.on.none();
    try {
      this.sending = true;
      card.progress(0, file.size || 1, 0);
      upload = await send(file, kind, (sent, total, speed) => (sent < total ? card.progress(sent, total, speed) : card.wait("upload.reading")), abort.signal);
      this.sending = false;
      card.wait("upload.checking");
      const report = await check(upload.id, ({ fraction }) => card.wait("upload.checking", fraction), abort.signal);
      this.#report(card, upload, report, kind, file, away);
    } catch (problem) {
      this.sending = false;
      if (problem.name === "AbortError") return;
      card.done(() => t("upload.not_used"));
      card.replaceTools(button({ t: "train.another", class: "push", on: away }));
      card.add(notice(problem, { retry: problem.status === 0 || problem.status >= 500 ? () => this.take(file) : null }));
    }
  }

  #report(card, upload, report, kind, file, away) {
    card.done(() => t(report.ok ? (report.problems.length ? "upload.usable" : "upload.good") : "upload.refused"));
    card.replaceTools(button({ t: "train.another", class: "push", on: away }));
    const facts = known(upload.probe ?? {}, report.facts ?? {}, kind);
    card.add(facts.length ? h("dl", { class: "facts" }, facts.map(([key, say]) => h("div", {}, h("dt", { t: `fact.${key}` }), h("dd", { live: say })))) : null,
      ...report.problems.map((problem) => notice(problem, { kind: problem.fatal ? "bad" : "warn" })));
    this.on.picture(report.picture || null);
    if (report.ok) this.on.ready({ upload, kind, name: file.name, report });
  }
}

/** What a check found, as [key, words]; only what was told. */
function known(probe, facts, kind) {
  const has = (value) => value !== undefined && value !== null;
  const seconds = facts.seconds ?? probe.seconds, fps = facts.fps ?? probe.fps;
  const face = facts.face_px ?? facts.face_width, speech = facts.speech_share ?? facts.voiced;
  const rows = [];
  if (kind === "video" && has(seconds)) rows.push(["length", () => clock(seconds)]);
  if (has(probe.width)) rows.push(["size", () => `${probe.width}\u00a0×\u00a0${probe.height}`]);
  if (face) rows.push(["face", () => t("fact.pixels", { n: number(face) })]);
  if (kind === "video" && has(facts.face_found)) rows.push(["found", () => percent(facts.face_found)]);
  if (kind === "video" && has(fps)) rows.push(["fps", () => `${number(fps, 2)} fps`]);
  if (kind === "video" && has(probe.sound)) rows.push(["sound", () => t(probe.sound ? "word.yes" : "word.no")]);
  if (has(speech)) rows.push(["speech", () => percent(speech)]);
  if (has(facts.offset_ms)) rows.push(["offset", () => (facts.offset_ms ? t("fact.offset_mended", { n: number(facts.offset_ms) }) : t("fact.offset_none"))]);
  return rows.map(([key, say]) => [key, () => tOr(`fact.value_${key}`, say())]);
}
