// Train: from a video or a photo to a face that speaks.
import { get, post } from "./api.js";
import { avatarCards, importPackage } from "./avatarcards.js";
import { $, fill, h } from "./dom.js";
import { deviceSelect, engineCards, expectedSeconds, qualityCards } from "./engines.js";
import { avatars, remember } from "./faces.js";
import { duration, percent } from "./format.js";
import { bind, t } from "./i18n.js";
import { showJob } from "./jobpanel.js";
import { ended, recent, watch } from "./jobs.js";
import { evaluationsBy } from "./measured.js";
import { notice } from "./problems.js";
import { Source } from "./source.js";
import { Stage, stageWords } from "./stage.js";
import { send } from "./uploader.js";

const stage = new Stage($("#stage"), { emptyKey: "train.stage_empty" });
const make = $("#make"), nameField = $("#name"), problem = $("#problem"), panel = $("#job");
let chosen = null, engine = null, quality = "", engines = [], gpus = [], faces = [], leave = null, fresh = null;

const source = new Source($("#source"), {
  ready(found) {
    chosen = found;
    if (!nameField.value) nameField.value = found.name.replace(/\.[^.]*$/, "").replace(/[_]+/g, " ").slice(0, 60);
    $("#engine-field").hidden = $("#more").hidden = found.kind === "image";
    $("#start-word").dataset.i18n = found.kind === "image" ? "train.start_photo" : "train.start";
    bind($("#start-word"), () => t(found.kind === "image" ? "train.start_photo" : "train.start"));
    make.hidden = false;
    offerQualities();
  },
  none() { chosen = null; make.hidden = true; nameField.value = ""; fill(problem); },
  picture(url) { stage.show(null); stage.still(url, () => t("train.face_found")); },
});

function expect() {
  bind($("#expected"), () => {
    if (chosen?.kind === "image") return t("train.expected_photo");
    const seconds = willTake(quality);
    return seconds ? t("train.expected", { time: duration(seconds) }) : "";
  });
}
const willTake = (name) => expectedSeconds(engine, name, Number($("#epochs").value) || 10, $("#device").value, faces);

/** The ways the chosen engine can learn, and how long this training takes. */
function offerQualities() {
  const names = (engine?.qualities ?? []).map((one) => one.name);
  if (!names.includes(quality)) quality = names[0] ?? "";
  $("#quality-field").hidden = names.length < 2 || chosen?.kind === "image";
  qualityCards($("#qualities"), engine, quality, willTake, (name) => { quality = name; expect(); });
  expect();
}
$("#epochs").addEventListener("input", offerQualities);
$("#device").addEventListener("change", offerQualities);

function choose(next) {
  engine = next;
  deviceSelect($("#device"), next.devices, gpus);
  offerQualities();
}

async function loadEngines() {
  const answer = await get("/api/engines");
  gpus = answer.gpus;
  engines = answer.engines.filter((one) => one.trains);
  const usable = engines.find((one) => one.name === answer.default && one.installed) ?? engines.find((one) => one.installed);
  if (usable) choose(usable);
  engineCards($("#engines"), engines, usable?.name, choose);
}

make.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!chosen) return;
  fill(problem);
  const name = nameField.value.trim();
  const from = chosen.upload ? { upload: chosen.upload.id } : { path: chosen.path };
  try {
    const job = chosen.kind === "image" ? await post("/api/jobs/photo", { ...from, name })
      : await post("/api/jobs/train", { ...from, name, engine: engine?.name ?? "lite", quality, device: $("#device").value || "auto", epochs: Number($("#epochs").value) || 10 });
    follow(job);
  } catch (error) { fill(problem, notice(error)); }
});

/** Show one job in place of the form. */
function follow(job) {
  leave?.();
  history.replaceState(null, "", `#job=${job.id}`);
  $("#source").hidden = true;
  make.hidden = true;
  stage.tell(null);
  leave = showJob(panel, job, {
    preview: (url) => { stage.note.hidden = false; stage.still(url, () => t("train.preview")); stage.tell("train.preview_live"); },
    end: finished,
    retry: follow,
  });
  panel.dataset.job = job.id;
  if (panel.getBoundingClientRect().top < 0) panel.scrollIntoView({ block: "start" });
  listRunning();
}

async function finished(job) {
  stage.tell(null);
  listRunning();
  const another = h("button", { type: "button", class: "button", t: "train.next", on: { click: startOver } });
  if (job.state !== "succeeded") { panel.append(h("div", { class: "row" }, another)); return; }
  fresh = job.result?.avatar;
  await loadAvatars();
  if (job.result?.evaluation_job) watch(job.result.evaluation_job, { end: () => loadAvatars().catch(() => {}) });
  const made = faces.find((avatar) => avatar.id === fresh);
  if (made) { stage.show(made); remember(made.id); }
  panel.append(h("div", { class: "row" },
    h("a", { class: "button primary", href: `/chat_system?avatar=${fresh}`, t: "train.talk_now" }),
    h("a", { class: "button", href: `/video_generation?avatar=${fresh}`, t: "train.create_now" }), another));
}

function startOver() {
  leave?.();
  leave = null;
  delete panel.dataset.job;
  history.replaceState(null, "", location.pathname);
  $("#source").hidden = false;
  source.offer();
}

async function loadAvatars() {
  const [list, measured] = await Promise.all([avatars(), evaluationsBy()]);
  faces = list;
  avatarCards($("#avatars"), faces, fresh, () => loadAvatars().catch(() => {}), measured.avatars);
  offerQualities();
}

/** Jobs that go on elsewhere on this page: one line each. */
async function listRunning(open = false) {
  const jobs = (await recent(["train", "photo"])).filter((job) => !ended(job));
  if (open && jobs.length && !panel.dataset.job) { follow(jobs[0]); return; }
  fill($("#running"), jobs.filter((job) => job.id !== panel.dataset.job).map((job) =>
    h("button", { type: "button", class: "job-row", on: { click: () => follow(job) } },
      h("strong", {}, job.title), h("span", { class: "progress" }, h("i", { style: `width:${percent(job.fraction)}` })), h("span", { class: "soft", live: () => stageWords(job) }))));
}

$("#import").addEventListener("change", async ({ target }) => {
  const file = target.files[0], state = $("#import-state");
  if (!file) return;
  fill($("#import-problem"));
  try {
    const upload = await send(file, "package", (sent, total) => bind(state, () => `${t("upload.sending")} ${percent(sent / total)}`));
    bind(state, () => t("avatars.importing"));
    fresh = (await importPackage(upload)).id;
    await loadAvatars();
  } catch (error) { fill($("#import-problem"), h("div", { style: "margin-bottom:16px" }, notice(error))); }
  bind(state, () => "");
  target.value = "";
});

async function begin() {
  try {
    await Promise.all([loadAvatars(), loadEngines()]);
    const asked = location.hash.match(/^#job=(\w+)/)?.[1];
    const job = asked ? await get(`/api/jobs/${asked}`).catch((error) => { if (error.status === 404) return null; throw error; }) : null;
    if (job) follow(job);
    else await listRunning(true);
  } catch (error) { fill($("#import-problem"), notice(error, { retry: () => { fill($("#import-problem")); begin(); } })); }
}
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !faces.length) begin(); });
setInterval(() => { if (!document.hidden && $("#running").children.length) listRunning().catch(() => {}); }, 5000);
begin();
