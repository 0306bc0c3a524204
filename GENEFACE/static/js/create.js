// Create: a face, a text or a sound, a video.
import { get, post } from "./api.js";
import { Appearance } from "./appearance.js";
import { clipCards, clips } from "./clips.js";
import { $, fill, h, icon } from "./dom.js";
import { deviceSelect } from "./engines.js";
import { avatars, faceStrip, preferred, remember } from "./faces.js";
import { duration, number, speechSeconds } from "./format.js";
import { bind, sentence, t } from "./i18n.js";
import { cancel, ended, recent, watch } from "./jobs.js";
import { evaluationsBy, measureButton } from "./measured.js";
import { notice } from "./problems.js";
import { soundSource } from "./soundsource.js";
import { Stage } from "./stage.js";
import { lendButton } from "./voiceclone.js";
import { tryVoice, voiceSelect, voices } from "./voices.js";

const LIMIT = 20_000;
const stage = new Stage($("#stage"), { emptyKey: "create.stage_empty" });
const text = $("#text"), makeButton = $("#make"), problem = $("#problem"), result = $("#result");
let looks = null, face = null, faces = [], engines = [], sound = null, source = "text", busy = false, stopWatching = null;

try { text.value = sessionStorage.getItem("visage.text") ?? ""; } catch { /* private window */ }

function ready() {
  const words = text.value.trim().length;
  makeButton.disabled = busy || !face || looks === false || (source === "text" ? !words || text.value.length > LIMIT : !sound);
}

function count() {
  try { sessionStorage.setItem("visage.text", text.value); } catch { /* private window */ }
  bind($("#count"), () => (text.value.trim()
    ? t("create.count", { n: number(text.value.length), time: duration(Math.max(1, speechSeconds(text.value, Number($("#speed").value)))) })
      + (text.value.length > LIMIT ? ` · ${t("create.too_long", { limit: number(LIMIT) })}` : "") : t("create.count_empty")));
  ready();
}
text.addEventListener("input", count);

function prosody() {
  $("#speed-value").textContent = `${Number($("#speed").value).toFixed(2)}×`;
  const pitch = Number($("#pitch").value);
  bind($("#pitch-value"), () => t("create.semitones", { n: pitch > 0 ? `+${pitch}` : pitch }));
  count();
}
$("#speed").addEventListener("input", prosody);
$("#pitch").addEventListener("input", prosody);

function show(name) {
  source = name;
  for (const which of ["text", "audio"]) {
    $(`#panel-${which}`).hidden = which !== name;
    const tab = $(`#tab-${which}`);
    tab.setAttribute("aria-selected", String(which === name));
    tab.tabIndex = which === name ? 0 : -1;
  }
  $("#prosody").hidden = name !== "text";
  ready();
}
for (const name of ["text", "audio"]) $(`#tab-${name}`).addEventListener("click", () => show(name));
$("#source-tabs").addEventListener("keydown", (event) => {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  show(source === "text" ? "audio" : "text");
  $(`#tab-${source}`).focus();
});
new Appearance($("#appearance"), ["recorded", "another", "clearer"], (value) => { looks = value; ready(); });
soundSource($("#panel-audio"), (upload) => { sound = upload; ready(); });

const voiceRequest = () => ({ voice: $("#voice").value, speed: Number($("#speed").value), pitch: Number($("#pitch").value) });

$("#preview").addEventListener("click", async ({ currentTarget }) => {
  currentTarget.disabled = true;
  fill(problem);
  try {
    await tryVoice({ text: text.value.trim().slice(0, 400) || t("voice.sample"), ...voiceRequest() }, $("#preview-state"));
  } catch (error) { if (error.code) fill(problem, notice(error)); }
  bind($("#preview-state"), () => "");
  currentTarget.disabled = false;
});

function choose(avatar) {
  face = avatar;
  fill(result);
  stage.clip.controls = false;
  stage.show(avatar);
  const own = engines.find((engine) => engine.name === avatar?.engine);
  deviceSelect($("#device"), own?.devices ?? ["CPU"]);
  ready();
}

$("#compose").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (makeButton.disabled) return;
  fill(problem);
  fill(result);
  const from = source === "text" ? { text: text.value.trim(), ...voiceRequest() } : { upload: sound.id };
  setBusy(true);
  try { follow(await post("/api/jobs/generate", { avatar: face.id, ...from, ...appearance(), device: $("#device").value || "auto" })); } catch (error) { failed(error); }
});

/** What the clip is to look like, for the request. */
function appearance() {
  if (!looks) return {};
  return { appearance: { photos: looks.photos, consent: looks.consent ?? "", restorer: looks.photos.length ? "" : "embedded" } };
}

function setBusy(yes) { busy = yes; ready(); }

function follow(job) {
  setBusy(true);
  stage.stop();
  const stop = () => { stage.busy({ ...job, cancelling: true }, stop); cancel(job.id).catch(failed); };
  stopWatching?.();
  stopWatching = watch(job.id, {
    job: (now) => { if (!ended(now)) stage.busy(now, stop); },
    end: finished,
    gone: failed,
  });
  stage.busy(job, stop);
  lookAtStage();
}

function lookAtStage() {
  const { top, bottom } = $("#stage").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight + 120) $("#stage").scrollIntoView({ behavior: "smooth", block: "center" });
}

function failed(error, again) {
  setBusy(false);
  stage.busy(null);
  fill(problem, notice(error, { retry: again }));
  problem.scrollIntoView({ block: "nearest" });
}

async function finished(job) {
  setBusy(false);
  stage.busy(null);
  if (job.state === "failed") {
    failed(job.error, async () => { fill(problem); try { follow(await post(`/api/jobs/${job.id}/retry`)); } catch (error) { failed(error); } });
    return;
  }
  if (job.state !== "succeeded") return;
  const made = job.result;
  play({ ...made, id: made.clip });
  if (made.notes?.length) fill(problem, ...made.notes.map((note) => h("div", { class: "notice" }, icon("info"), h("span", { live: () => sentence(note) }))));
  loadClips();
}

function play(clip) {
  const measure = measureButton({ pred: { clip: clip.id } }, [], loadClips);
  stage.play(clip.url, { controls: true });
  fill(result,
    h("a", { class: "button primary", href: `/api/clips/${clip.id}/download`, download: true }, icon("download"), h("span", { t: "word.download" })),
    h("button", { type: "button", class: "button", on: { click: () => { fill(result); choose(face); } } }, icon("retry"), h("span", { t: "create.again" })),
    measure.element, h("span", { class: "soft small push numbers", live: () => duration(clip.seconds) }), measure.place);
  measure.place.className = "wide";
  lookAtStage();
}

async function loadClips() {
  try {
    const [made, measured] = await Promise.all([clips(), evaluationsBy()]);
    clipCards($("#clips"), made, faces, play, loadClips, measured.clips);
  } catch (error) { fill($("#clips"), notice(error, { retry: loadClips })); }
}

async function begin() {
  try {
    const [list, offered] = await Promise.all([avatars(), get("/api/engines")]);
    faces = list;
    engines = offered.engines;
    faceStrip($("#faces"), faces, preferred(faces), choose);
    if (preferred(faces)) { choose(preferred(faces)); remember(face.id); }
    loadClips();
    const running = (await recent(["generate"])).find((job) => !ended(job));
    if (running) follow(running);
  } catch (error) { fill(problem, notice(error, { retry: () => { fill(problem); begin(); } })); }
}

voices().then((answer) => {
  const show = voiceSelect($("#voice"), answer.voices ?? []);
  $("#lend-place").append(lendButton(async (id) => {
    show((await voices()).voices ?? []);
    if (id) { $("#voice").value = id; $("#voice").dispatchEvent(new Event("change")); }
  }));
  if (answer.ok === false) fill(problem, notice({ code: "page.voice_server_down", message: answer.message }, { kind: "warn" }));
}).catch(() => {});
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !faces.length) begin(); });
prosody();
begin();
