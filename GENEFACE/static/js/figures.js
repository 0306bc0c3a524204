// What was measured, as people read it: lines for cards, a table, and why a figure is lacking.
import { h } from "./dom.js";
import { number } from "./format.js";
import { currentLanguage, t } from "./i18n.js";

/** What a line shows, the most telling first. */
const TELLING = ["psnr", "ssim", "lmd", "lse_c", "sync_score", "lip_correlation", "niqe", "fid", "cpbd"];
/** Facts of the files and curves for the report: told apart from what says how good a clip is. */
const BESIDE = ["mouth_opening", "truth_mouth_opening", "sound_envelope", "lmd_pixels", "duration_difference", "fps_difference", "frames_difference",
  "sound_present", "sound_minus_picture"];
const LONG = 8;
const DIRECTIONS = { higher: "figures.higher", lower: "figures.lower", "nearer to 1": "figures.one", "nearer to 0": "figures.zero" };

/** What a figure says of itself (`title`, `reason`, `remedy`, `note`, `unit`), in the reader's language where it is known. */
const said = (figure, part) => (currentLanguage() === "zh" && figure.zh?.[part]) || figure[part] || "";

/** The name of a figure. */
export const figureName = (key, figure) => said(figure, "title") || key;

/** "31.2 dB", with as many digits as such a number needs. */
export function figureValue(figure) {
  const size = Math.abs(figure.value);
  const digits = Number.isInteger(figure.value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  const whole = said(figure, "unit"), short = whole.length <= LONG ? whole : whole.startsWith("%") ? "%" : "";
  const unit = short ? `\u00a0${short}` : "";
  return `${number(figure.value, digits)}${unit}`;
}

const notes = (figure) => [said(figure, "unit").length > LONG ? said(figure, "unit") : "", said(figure, "note")].filter(Boolean).join(" · ");

const known = (figures) => Object.entries(figures).filter(([, figure]) => Number.isFinite(figure.value));

/** The few figures that a card has room for, as elements. */
export function figureLine(evaluation, most = 4) {
  const chosen = TELLING.filter((key) => Number.isFinite(evaluation.figures[key]?.value)).slice(0, most);
  return chosen.map((key) => h("span", {}, h("span", { live: () => figureName(key, evaluation.figures[key]) }), "\u00a0",
    h("span", { style: "color:var(--ink)", live: () => figureValue(evaluation.figures[key]) })));
}

/** Words on whether an avatar had learnt from what it is compared with; empty for clips. */
export const seenWords = (evaluation) => (evaluation.facts.seen === undefined ? "" : t(evaluation.facts.seen ? "figures.seen" : "figures.unseen"));

/** All figures as a table; what only describes the files behind one more click. */
export function figureTable(figures) {
  const rows = known(figures), beside = rows.filter(([key]) => BESIDE.includes(key));
  return h("div", { class: "stack" }, table(rows.filter(([key]) => !BESIDE.includes(key))),
    beside.length ? h("details", { class: "more" }, h("summary", { t: "figures.beside" }), h("div", { class: "inside" }, table(beside))) : null);
}

function table(rows) {
  const row = ([key, figure]) => h("tr", {},
    h("th", { scope: "row" }, h("span", { live: () => figureName(key, figure) }),
      notes(figure) ? h("span", { class: "note", live: () => notes(figure) }) : null),
    h("td", {}, h("strong", { live: () => figureValue(figure) }),
      Number.isFinite(figure.error) ? h("span", { class: "spread", live: () => ` ± ${number(figure.error, figure.error < 1 ? 3 : 2)}` }) : null),
    h("td", { live: () => (DIRECTIONS[figure.better] ? t(DIRECTIONS[figure.better]) : "") }));
  return h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col", t: "figures.name" }), h("th", { scope: "col", style: "text-align:right;padding-right:0", t: "figures.value" }),
      h("th", { scope: "col", style: "padding-left:16px", t: "figures.better" }))),
    h("tbody", {}, rows.map(row)));
}

/** What could not be measured, and what mends it; null when nothing is lacking. */
export function missingFigures(figures) {
  const lacking = Object.entries(figures).filter(([, figure]) => !Number.isFinite(figure.value));
  if (!lacking.length) return null;
  return h("details", { class: "more" }, h("summary", { live: () => t("figures.missing", { n: lacking.length }) }),
    h("dl", { class: "inside missing" }, lacking.map(([key, figure]) => h("div", {}, h("dt", { live: () => figureName(key, figure) }),
      h("dd", {}, h("span", { live: () => said(figure, "reason") || said(figure, "note") }), figure.remedy ? h("code", { live: () => said(figure, "remedy") }) : null)))));
}
