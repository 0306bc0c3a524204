// Talk: speak with the face, live where the engine and the browser can, else by turns.
import { api, get } from "./api.js";
import { ByTurns } from "./byturns.js";
import { Controls } from "./controls.js";
import { Conversation } from "./conversation.js";
import { $, button, calm } from "./dom.js";
import { avatars, faceStrip, preferred, remember } from "./faces.js";
import { holdToTalk, occupied } from "./hold.js";
import { keepMenu } from "./keep.js";
import { lacking } from "./live.js";
import { Stage } from "./stage.js";
import { talkSettings } from "./talksettings.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";

let face = null, live = false;

const memory = {
  read(key) { try { return sessionStorage.getItem(`visage.${key}`); } catch { return null; } },
  write(key, value) { try { if (value) sessionStorage.setItem(`visage.${key}`, value); else sessionStorage.removeItem(`visage.${key}`); } catch { /* private window */ } },
};
const stage = new Stage($("#stage"));
const controls = new Controls(stage);
const timeline = new Timeline($("#timeline"));
const transcript = new Transcript($("#turns"), (url, said) => { if (live) conversation.replay(url, said); else if (!turns.busy) turns.play(url, said); });
const settings = talkSettings({
  face: () => face, changed: (avatar) => { face = { ...face, ...avatar }; }, chosen: (choice) => { if (live) conversation.choose(choice); },
});
const parts = { stage, transcript, timeline, controls, settings, memory, face: () => face };
const turns = new ByTurns(parts);
const conversation = new Conversation({ ...parts, impossible: byTurns });

/** Live is not possible here: say so in one line, and go on by turns. */
function byTurns(problem) {
  live = false;
  conversation.leave();
  if (stage.avatar?.idle && !calm()) stage.idle.play().catch(() => {});
  turns.enter(memory.read(`conversation.${face.id}`));
  controls.problem(problem, { kind: "info", actions: lacking() ? [] : [button({ t: "live.try_again", icon: "retry", on: talkLive })] });
}

function talkLive() {
  controls.problem(null);
  turns.leave();
  live = true;
  conversation.enter(memory.read(`conversation.${face.id}`));
}

async function choose(avatar) {
  if (live) conversation.leave();
  else if (face) turns.leave();
  face = avatar;
  stage.show(avatar);
  settings.show(avatar);
  transcript.clear();
  timeline.clear();
  controls.timings(() => "");
  controls.notes([]);
  const missing = lacking();
  if (missing) byTurns(missing);
  else talkLive();
  await recall(avatar);
}

/** What was said in this tab before. */
async function recall(avatar) {
  const kept = memory.read(`conversation.${avatar.id}`);
  if (!kept) return;
  try {
    const { turns: past } = await get(`/api/conversations/${kept}`);
    if (face !== avatar) return;
    for (const each of past) {
      const row = transcript.turn(each.question);
      row.answer(each.answer);
      row.notes(each.notes);
      row.done(each.url);
      if (each.heard < 1) row.interrupted(each.heard);
    }
  } catch (error) { if (error.status === 404 && !live) memory.write(`conversation.${avatar.id}`, null); }
}

function stop() {
  if (!live) { turns.stop(); return; }
  stage.stop();
  conversation.interrupt();
}

$("#say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = controls.text.value.trim();
  if (!words || !face || turns.busy) return;
  controls.problem(null);
  controls.text.value = "";
  const sent = await (live ? conversation.say(words) : turns.say(words));
  if (!sent && !controls.text.value) controls.text.value = words;
});

$("#stop").addEventListener("click", stop);
$("#side-tools").prepend(keepMenu(() => (face ? memory.read(`conversation.${face.id}`) : null)));
$("#mute").addEventListener("click", () => conversation.mute());
$("#settings-button").addEventListener("click", () => $("#settings").showModal());
$("#fresh").addEventListener("click", () => {
  if (!face || turns.busy) return;
  const kept = memory.read(`conversation.${face.id}`);
  if (live) conversation.leave();
  else turns.leave();
  if (kept) api(`/api/conversations/${kept}`, { method: "DELETE" }).catch(() => {});
  memory.write(`conversation.${face.id}`, null);
  transcript.clear();
  timeline.clear();
  controls.timings(() => "");
  if (live) talkLive();
  else turns.enter(null);
});

controls.mic.addEventListener("click", () => { if (live) conversation.toggle(); });
holdToTalk(controls.mic, { enabled: () => !live, begin: () => turns.beginRecording(), end: () => turns.endRecording(), running: () => turns.recording });

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") stop();
  if (!live || event.code !== "Space" || event.repeat || event.ctrlKey || event.metaKey || event.altKey || occupied(event.target)) return;
  if (event.target === controls.mic) return;
  event.preventDefault();
  if (conversation.busy) conversation.interrupt();
  else if (!controls.mic.disabled) conversation.toggle();
});

// A page that comes back out of the browser's memory has lost its connection.
addEventListener("pageshow", (event) => { if (event.persisted && live) talkLive(); });

controls.volume((volume) => {
  conversation.speaking.volume = volume;
  stage.clip.volume = volume;
});

async function begin() {
  try {
    const list = await avatars();
    const first = preferred(list);
    faceStrip($("#faces"), list, first, choose);
    if (!first) { controls.problem({ code: "page.no_avatar" }, { kind: "info" }); return; }
    remember(first.id);
    await choose(first);
  } catch (error) { controls.problem(error, { retry: () => { controls.problem(null); begin(); } }); }
}
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !face) begin(); });
controls.waiting();
begin();
