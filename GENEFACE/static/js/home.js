// Home: a face that speaks within one click.
import { get } from "./api.js";
import { $, fill } from "./dom.js";
import { avatars } from "./faces.js";
import { health, machineLine, openHealth } from "./health.js";
import { t } from "./i18n.js";
import { cancel, start, watch } from "./jobs.js";
import { notice } from "./problems.js";
import { Stage } from "./stage.js";
import { voices } from "./voices.js";

const stage = new Stage($("#stage"));
const greeting = $("#greeting"), problem = $("#problem"), speakButton = $("#speak");
const made = new Map();
let face = null, busy = false, own = false;

greeting.value = t("home.greeting");
greeting.addEventListener("input", () => { own = true; });
document.addEventListener("language", () => { if (!own) greeting.value = t("home.greeting"); });

async function speak() {
  const text = greeting.value.trim();
  if (!text || busy) return;
  fill(problem);
  if (made.has(text)) { await play(made.get(text)); return; }
  if (!face && !await meet()) return;
  setBusy(true);
  try {
    const job = await start("generate", { avatar: face.id, text, voice: "", speed: 1, pitch: 0, device: "auto" });
    stage.busy(job, () => cancel(job.id));
    watch(job.id, {
      job: (now) => stage.busy(now, () => cancel(job.id).catch(() => {})),
      end: (now) => finished(now, text),
      gone: (error) => failed(error),
    });
  } catch (error) { failed(error); }
}

function finished(job, text) {
  setBusy(false);
  if (job.state === "succeeded") { made.set(text, job.result.url); play(job.result.url); }
  else if (job.state === "failed") failed(job.error);
  else stage.offer(speak);
}

function failed(error) {
  setBusy(false);
  fill(problem, notice(error, { retry: speak }));
  if (face) stage.offer(speak);
}

function setBusy(yes) {
  busy = yes;
  speakButton.disabled = yes;
  stage.offer(null);
  if (!yes) stage.busy(null);
}

async function play(url) {
  stage.offer(null);
  await stage.play(url);
  stage.stop();
  stage.offer(speak);
}

async function meet() {
  try {
    const list = await avatars();
    face = list.find((avatar) => avatar.built_in) ?? list[0] ?? null;
  } catch (error) {
    fill(problem, notice(error, { retry: meet }));
    return false;
  }
  if (!face) { fill(problem, notice({ code: "page.no_avatar" }, { kind: "info" })); return false; }
  stage.show(face);
  stage.offer(speak);
  return true;
}

async function machine() {
  const nothing = (fallback) => () => fallback;
  const [report, speech, engines] = await Promise.all([
    health().catch(nothing({})), voices().catch(nothing({ voices: [] })), get("/api/engines").catch(nothing({ engines: [] }))]);
  machineLine($("#machine"), report, speech.voices ?? [], engines.engines ?? []);
}

$("#greet").addEventListener("submit", (event) => { event.preventDefault(); speak(); });
$("#machine-more").addEventListener("click", openHealth);
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !face) meet(); });
meet();
machine();
