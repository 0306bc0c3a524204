// Talk: ask aloud or in writing, and the face answers.
import { api, get, post } from "./api.js";
import { $, fill } from "./dom.js";
import { avatars, faceStrip, preferred, remember } from "./faces.js";
import { holdToTalk } from "./hold.js";
import { bind, sentence, t } from "./i18n.js";
import { cancel, ended, start, watch } from "./jobs.js";
import { notice, showNotice } from "./problems.js";
import { Recorder } from "./recorder.js";
import { talkSettings } from "./talksettings.js";
import { Stage } from "./stage.js";
import { timingWords, Transcript } from "./transcript.js";

const stage = new Stage($("#stage"));
const mic = $("#mic"), text = $("#text"), problem = $("#problem"), stopButton = $("#stop");
const transcript = new Transcript($("#turns"), (url, said) => { if (!job) speak(url, said); });
const recorder = new Recorder((level) => mic.style.setProperty("--level", level.toFixed(2)));
let face = null, conversation = null, job = null, turn = null, stopWatching = null, starting = false, unwanted = false;

const touch = matchMedia("(hover: none)").matches;

const memory = {
  read(key) { try { return sessionStorage.getItem(`visage.${key}`); } catch { return null; } },
  write(key, value) { try { if (value) sessionStorage.setItem(`visage.${key}`, value); else sessionStorage.removeItem(`visage.${key}`); } catch { /* private window */ } },
};
const settings = talkSettings({ face: () => face, changed: (avatar) => { face = { ...face, ...avatar }; } });

const STATUS = { hear: "talk.hearing", think: "talk.thinking", speak: "talk.voicing", move: "talk.filming", render: "talk.filming", verify: "talk.filming" };

/** What the page is doing: idle, recording, working or speaking. */
function state(name, key = null) {
  document.documentElement.dataset.talk = name;
  mic.setAttribute("aria-pressed", String(name === "recording"));
  mic.disabled = name === "working" || !face;
  stopButton.disabled = name === "idle";
  $("#say button").disabled = name === "working" || !face;
  stage.tell(key);
  bind($("#hint"), () => t(`talk.hint_${name}${touch && name !== "recording" ? "_touch" : ""}`));
}

async function beginRecording() {
  if (job || starting) return;
  starting = true;
  unwanted = false;
  fill(problem);
  stage.stop();
  try {
    await recorder.start();
    state("recording", "talk.listening");
    if (unwanted) endRecording();
  } catch (error) { state("idle"); showNotice(problem, error, { kind: "warn" }); text.focus({ preventScroll: true }); }
  starting = false;
}

async function endRecording() {
  if (!recorder.running) { unwanted = true; return; }
  const long = recorder.seconds > 0.35;
  const blob = await recorder.stop();
  state("idle");
  if (!blob || !long) { bind($("#hint"), () => t("talk.too_short")); return; }
  turn = transcript.turn("");
  state("working", "talk.sending");
  try {
    const recording = await api("/api/recordings", { method: "POST", body: blob });
    if (recording.peak !== undefined && recording.peak < 0.004) throw { code: "page.recording_silent" };
    await ask({ recording: recording.id });
  } catch (error) { failed(error); }
}

async function talkId() {
  if (!conversation) {
    conversation = (await post("/api/conversations", { avatar: face.id })).id;
    memory.write(`conversation.${face.id}`, conversation);
  }
  return conversation;
}

async function ask(question) {
  state("working", "talk.thinking");
  const request = { conversation: await talkId(), avatar: face.id, ...question, voice: settings.voice(), llm: settings.llm(), device: "auto" };
  let begun;
  try {
    begun = await start("chat", request);
  } catch (error) {
    if (error.status !== 404 || !/conversation/.test(error.code)) throw error;
    conversation = null;
    begun = await start("chat", { ...request, conversation: await talkId() });
  }
  follow(begun);
}

function follow(begun) {
  job = begun;
  memory.write("turn", JSON.stringify({ job: job.id, avatar: face.id }));
  stopWatching = watch(job.id, { job: see, end: finished, gone: failed });
  see(job);
}

function see(now) {
  job = now;
  if (ended(now)) return;
  const said = now.facts ?? {};
  if (said.heard) turn.hear(said.heard);
  if (said.answer) turn.answer(said.answer);
  const key = now.cancelling ? "job.cancelling" : now.state === "queued" ? "talk.waiting" : STATUS[now.stage] ?? "talk.thinking";
  state("working", key);
}

async function finished(last) {
  job = null;
  memory.write("turn", null);
  if (last.state === "failed") { failed(last.error); return; }
  if (last.state === "cancelled") { turn?.stopped(); state("idle"); return; }
  const made = last.result;
  turn.hear(made.heard);
  turn.answer(made.answer);
  turn.notes(made.notes);
  turn.done(made.url);
  bind($("#timings"), () => [timingWords(made.timings), made.llm && sentence(made.llm)].filter(Boolean).join(" · "));
  await speak(made.url, made.answer);
}

async function speak(url, said) {
  state("speaking", "talk.speaking");
  await stage.play(url, { text: said.length > 90 ? "" : said, rest: true });
  if (document.documentElement.dataset.talk === "speaking") state("idle");
}

function failed(error) {
  stopWatching?.();
  job = null;
  memory.write("turn", null);
  turn?.stopped();
  state("idle");
  showNotice(problem, error);
}

function stop() {
  if (recorder.running) { recorder.drop(); state("idle"); return; }
  stage.stop();
  if (job && !job.cancelling) { see({ ...job, cancelling: true }); cancel(job.id).catch(failed); }
}

async function choose(avatar) {
  face = avatar;
  stage.show(avatar);
  settings.show(avatar);
  transcript.clear();
  bind($("#timings"), () => "");
  state("idle");
  conversation = memory.read(`conversation.${avatar.id}`);
  if (!conversation) return;
  try {
    const { turns } = await get(`/api/conversations/${conversation}`);
    for (const past of turns) {
      const row = transcript.turn(past.question);
      row.answer(past.answer);
      row.notes(past.notes);
      row.done(past.url);
    }
  } catch (error) { if (error.status === 404) conversation = null; }
}

async function resume() {
  const kept = JSON.parse(memory.read("turn") ?? "null");
  if (!kept || kept.avatar !== face?.id) return;
  try {
    const running = await get(`/api/jobs/${kept.job}`);
    if (ended(running)) { memory.write("turn", null); return; }
    turn = transcript.turn(running.facts?.heard ?? "");
    follow(running);
  } catch { memory.write("turn", null); }
}

$("#say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = text.value.trim();
  if (!words || job || !face) return;
  fill(problem);
  stage.stop();
  turn = transcript.turn(words);
  text.value = "";
  try { await ask({ text: words }); } catch (error) { text.value = words; failed(error); }
});
stopButton.addEventListener("click", stop);
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) stop(); });
$("#settings-button").addEventListener("click", () => $("#settings").showModal());
$("#fresh").addEventListener("click", () => {
  if (job) return;
  if (conversation) api(`/api/conversations/${conversation}`, { method: "DELETE" }).catch(() => {});
  conversation = null;
  memory.write(`conversation.${face?.id}`, null);
  stage.stop();
  transcript.clear();
  bind($("#timings"), () => "");
});
holdToTalk(mic, { begin: beginRecording, end: endRecording, running: () => recorder.running });

async function begin() {
  try {
    const list = await avatars();
    const first = preferred(list);
    faceStrip($("#faces"), list, first, choose);
    if (!first) { state("idle"); fill(problem, notice({ code: "page.no_avatar" }, { kind: "info" })); return; }
    remember(first.id);
    await choose(first);
    await resume();
  } catch (error) { state("idle"); fill(problem, notice(error, { retry: () => { fill(problem); begin(); } })); }
}
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !face) begin(); });
state("idle");
begin();
