// Evaluation: two videos or an avatar in, figures and a report out; and all that was measured before.
import { get, post, remove } from "./api.js";
import { clips } from "./clips.js";
import { $, button, confirmed, fill, h, icon } from "./dom.js";
import { avatars } from "./faces.js";
import { figureLine, figureTable, missingFigures, seenWords } from "./figures.js";
import { FootagePicker } from "./footage.js";
import { when } from "./format.js";
import { bind, t } from "./i18n.js";
import { showJob } from "./jobpanel.js";
import { ended, recent } from "./jobs.js";
import { notice } from "./problems.js";

const panel = $("#job"), found = $("#found"), problem = $("#problem"), list = $("#list");
const asked = new URLSearchParams(location.search);
const chosen = { pred: null, truth: null };
const compared = new Set();
let faces = [], leave = null, fresh = new Set(), busy = false, loaded = false;

const pred = new FootagePicker($("#pred"), "pred", (source) => {
  const avatar = Boolean(source?.avatar);
  if (avatar !== Boolean(chosen.pred?.avatar)) for (const box of boxes()) box.checked = avatar ? box.value !== "full" : box.value === "full";
  chosen.pred = source;
  $("#truth-field").hidden = avatar;
  ready();
});
const truth = new FootagePicker($("#truth"), "truth", (source) => { chosen.truth = source; });

function boxes() { return [...document.querySelectorAll("#regions input")]; }

function ready() { $("#start").disabled = busy || !chosen.pred || !boxes().some((box) => box.checked); }
$("#regions").addEventListener("change", ready);

$("#measure").addEventListener("submit", async (event) => {
  event.preventDefault();
  if ($("#start").disabled) return;
  fill(problem);
  const what = chosen.pred.avatar ? { avatar: chosen.pred.avatar } : { pred: chosen.pred, ...(chosen.truth ? { truth: chosen.truth } : {}) };
  try {
    follow(await post("/api/jobs/evaluate", { ...what, regions: boxes().filter((box) => box.checked).map((box) => box.value),
      stride: Number($("#stride").value) || 1, max_frames: Number($("#frames").value) || 0 }));
  } catch (error) { fill(problem, notice(error)); problem.scrollIntoView({ block: "nearest" }); }
});

/** Show a job until it ends, then what it found. */
function follow(job) {
  leave?.();
  busy = true;
  ready();
  history.replaceState(null, "", `#job=${job.id}`);
  found.hidden = true;
  $("#nothing").hidden = true;
  leave = showJob(panel, job, { end: finished, retry: follow });
  if (panel.getBoundingClientRect().top < 0 || panel.getBoundingClientRect().bottom > innerHeight) panel.scrollIntoView({ block: "nearest" });
}

async function finished(job) {
  busy = false;
  ready();
  if (job.state !== "succeeded") return;
  leave?.();
  leave = null;
  try {
    const made = await Promise.all(job.result.evaluations.map((one) => get(`/api/evaluations/${one.id}`)));
    fresh = new Set(made.map((one) => one.id));
    show(made);
  } catch (error) { fill(problem, notice(error)); }
  loadList();
}

/** One evaluation a region, the first one open. */
function show(made) {
  const body = h("div", { class: "stack" });
  const open = (one) => {
    for (const tab of tabs) tab.setAttribute("aria-selected", String(tab.value === one.region));
    fill(body, ...details(one));
  };
  const tabs = made.map((one) => h("button", { type: "button", role: "tab", value: one.region, t: `evaluation.region_${one.region}`, on: { click: () => open(one) } }));
  fill(found, h("div", { class: "found-head" }, h("h2", { id: "found-title" }, made[0].title),
    h("span", { class: "small soft", live: () => [when(made[0].created), seenWords(made[0])].filter(Boolean).join(" · ") })),
  made.length > 1 ? h("div", { class: "segments", role: "tablist" }, tabs) : null, body);
  open(made[0]);
  found.hidden = false;
  panel.hidden = true;
  $("#nothing").hidden = true;
  found.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function details(one) {
  const frame = h("details", { class: "more" }, h("summary", { t: "evaluation.report_here" }));
  frame.addEventListener("toggle", () => {
    if (frame.open && frame.children.length === 1) frame.append(h("div", { class: "inside" }, h("iframe", { class: "report", src: one.reports.html, label: "evaluation.report", sandbox: "allow-scripts allow-modals" })));
  });
  return [figureTable(one.figures), missingFigures(one.figures), links(one), frame].filter(Boolean);
}

function links(one) {
  return h("div", { class: "row tight" },
    h("a", { class: "button primary", href: one.reports.html, target: "_blank", rel: "noopener" }, icon("text"), h("span", { t: "evaluation.report" })),
    h("a", { class: "button", href: one.reports.csv, download: true }, icon("download"), h("span", {}, "CSV")),
    h("a", { class: "button", href: one.reports.json, download: true }, icon("download"), h("span", {}, "JSON")));
}

function row(one) {
  const box = h("input", { type: "checkbox", value: one.id, checked: compared.has(one.id), label: "evaluation.compare_this", on: { change: () => {
    if (box.checked) compared.add(one.id); else compared.delete(one.id);
    comparable();
  } } });
  const erase = async () => {
    if (!await confirmed(() => t("evaluation.delete_question"), "word.delete")) return;
    try { await remove(`/api/evaluations/${one.id}`); compared.delete(one.id); loadList(); } catch (error) { fill($("#list-problem"), notice(error)); }
  };
  return h("article", { class: `evaluated ${fresh.has(one.id) ? "fresh" : ""}` }, box,
    h("div", { style: "min-width:0" }, h("h3", { title: one.title }, one.title),
      h("p", { class: "small soft", live: () => [t(`evaluation.region_${one.region}`), when(one.created), one.truth ? "" : t("evaluation.no_truth"), seenWords(one)].filter(Boolean).join(" · ") })),
    h("p", { class: "numbers-line" }, figureLine(one)),
    h("div", { class: "tools-line" },
      button({ t: "evaluation.show", on: () => show([one]) }),
      h("a", { class: "button square", href: one.reports.html, target: "_blank", rel: "noopener", label: "evaluation.report" }, icon("text")),
      button({ icon: "trash", class: "plain square", label: "word.delete", on: erase })));
}

function comparable() {
  $("#compare").disabled = compared.size < 2;
  bind($("#compare").firstElementChild, () => (compared.size < 2 ? t("evaluation.compare") : t("evaluation.compare_n", { n: compared.size })));
}
$("#compare").addEventListener("click", () => window.open(`/api/evaluations/compare?ids=${[...compared].join(",")}`, "_blank", "noopener"));

async function loadList() {
  const whose = $("#whose").value;
  try {
    const { evaluations } = await get(`/api/evaluations?limit=100${whose ? `&avatar=${encodeURIComponent(whose)}` : ""}`);
    loaded = true;
    for (const id of [...compared]) if (!evaluations.some((one) => one.id === id)) compared.delete(id);
    comparable();
    fill($("#list-problem"));
    if (evaluations.length) fill(list, evaluations.map(row));
    else fill(list, h("div", { class: "empty" }, h("p", { t: "evaluation.none" })));
    return evaluations;
  } catch (error) { fill($("#list-problem"), notice(error, { retry: loadList })); }
  return [];
}

function whoseOptions() {
  const all = h("option", { value: "" });
  bind(all, () => t("evaluation.everybody"));
  fill($("#whose"), all, ...faces.map((avatar) => h("option", { value: avatar.id, selected: avatar.id === asked.get("avatar") }, avatar.name)));
}
$("#whose").addEventListener("change", loadList);

async function begin() {
  try {
    const [made, known] = await Promise.all([clips(), avatars()]);
    faces = known;
    pred.list(made, known.filter((avatar) => avatar.exam));
    truth.list(made);
    whoseOptions();
    const clip = made.find((one) => one.id === asked.get("clip")), avatar = known.find((one) => one.id === asked.get("avatar") && one.exam);
    if (clip) pred.useClip(clip); else if (avatar) pred.useAvatar(avatar);
    const evaluations = await loadList();
    const wanted = location.hash.match(/^#job=(\w+)/)?.[1] ?? (await recent(["evaluate"])).find((one) => !ended(one))?.id;
    const opened = location.hash.match(/^#evaluation=(\w+)/)?.[1];
    if (wanted) follow(await get(`/api/jobs/${wanted}`));
    else if (evaluations.some((one) => one.id === opened)) show(evaluations.filter((one) => one.id === opened));
  } catch (error) { fill(problem, notice(error, { retry: () => { fill(problem); begin(); } })); }
}
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !loaded) begin(); });
begin();
