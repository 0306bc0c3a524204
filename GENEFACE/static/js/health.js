// The dot in the bar, and the panel of what this machine has and lacks.
import { get } from "./api.js";
import { $, fill, h, icon } from "./dom.js";
import { bind, sentence, t, tOr } from "./i18n.js";
import { remedyLine } from "./problems.js";

let latest = null;
let asked = null;

/** The answer of /health, asked once for the whole page. */
export function health() {
  asked ??= get("/api/health").catch((problem) => { asked = null; throw problem; });
  return asked;
}

/** "good", "warn" (something of the main job is down) or "bad" (it cannot work). */
export function verdict(report) {
  if (!report) return "bad";
  if (!report.ok || report.requirements?.some((need) => need.essential && !need.ok)) return "bad";
  return report.worker?.alive && report.voice?.ok ? "good" : "warn";
}

function line(need) {
  const chip = need.ok ? "good" : need.essential ? "bad" : "";
  return h("div", { class: "stack tight" },
    h("div", { class: "row tight", style: "flex-wrap:nowrap;align-items:flex-start" },
      h("span", { class: `chip ${chip}`, style: "padding:4px" }, icon(need.ok ? "check" : need.essential ? "warn" : "info")),
      h("div", { style: "min-width:0;overflow-wrap:anywhere" },
        h("strong", { class: "small", live: () => tOr(`needs.${need.name.replace(/\W+/g, "_")}`, need.name) }),
        h("div", { class: "small soft", live: () => sentence(need.detail) }))),
    !need.ok && need.remedy ? remedyLine(need.remedy) : null);
}

function group(key, needs) {
  return needs.length ? h("section", { class: "stack", style: "gap:16px" }, h("h3", { t: key }), needs.map(line)) : null;
}

function draw() {
  const body = $("#health-body");
  if (!latest) {
    fill(body, h("p", { t: "health.unreachable" }));
    return;
  }
  const needs = [
    { name: "worker", ok: Boolean(latest.worker?.alive), essential: true,
      detail: latest.worker?.alive ? "" : t("health.worker_down"), remedy: latest.worker?.alive ? "" : "GENEFACE/scripts/run" },
    { name: "voice_server", ok: Boolean(latest.voice?.ok), essential: true, detail: latest.voice?.url ?? "",
      remedy: latest.voice?.ok ? "" : "GENEFACE/scripts/run" },
    ...(latest.requirements ?? []).filter((need) => !["worker", "voice", "voice_server", "voice server"].includes(need.name)),
  ];
  fill(body,
    h("p", { class: "soft", t: `health.verdict_${verdict(latest)}` }),
    group("health.broken", needs.filter((need) => !need.ok && need.essential)),
    group("health.missing", needs.filter((need) => !need.ok && !need.essential)),
    group("health.present", needs.filter((need) => need.ok)),
    h("p", { class: "small soft" }, `Visage ${latest.version ?? ""}`));
}

async function look() {
  try {
    asked = null;
    latest = await health();
  } catch {
    latest = null;
  }
  const state = verdict(latest);
  $("#health-dot").dataset.state = state;
  const button = $("#health-button");
  button.dataset.i18nLabel = `health.dot_${state}`;
  button.setAttribute("aria-label", t(button.dataset.i18nLabel));
  button.title = t(button.dataset.i18nLabel);
  if ($("#health").open) draw();
}

/** Open the panel. */
export function openHealth() {
  draw();
  $("#health").showModal();
}

/** Keep the dot true while the page is open. */
export function showHealth() {
  look();
  setInterval(() => { if (!document.hidden) look(); }, 30_000);
  document.addEventListener("connection", look);
  document.addEventListener("language", () => { if ($("#health").open) draw(); });
  $("#health-button").addEventListener("click", openHealth);
}

/** One line of what this machine can do. */
export function machineLine(element, report, voices, engines) {
  bind(element, () => {
    const parts = [];
    const usable = engines.filter((engine) => engine.installed).map((engine) => tOr(`engine.${engine.name}`, engine.title));
    if (usable.length) parts.push(t("home.can_engines", { names: usable.join(t("word.list_separator")) }));
    if (voices.length) parts.push(t("home.can_voices", { n: voices.length }));
    const heard = (report.languages_heard ?? []).map((code) => tOr(`language.${code}`, code)).join(t("word.list_separator"));
    if (heard) parts.push(t("home.can_hear", { languages: heard }));
    if (report.llm) parts.push(report.llm.offline ? t("home.can_answer_offline") : t("home.can_answer", { name: report.llm.name }));
    return parts.join(" · ");
  });
}
