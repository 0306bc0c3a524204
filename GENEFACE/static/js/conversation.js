// A live conversation: what the server says, what the microphone hears and what the face shows, held together.
import { AtRest } from "./atrest.js";
import { currentLanguage } from "./i18n.js";
import { Live, mediaSource } from "./live.js";
import { LiveTurns } from "./liveturns.js";
import { Measure } from "./measure.js";
import { Microphone } from "./microphone.js";
import { Speaking } from "./speaking.js";

const IDLE_MS = 1000;
const ASLEEP_AFTER = 10 * 60_000;
const SHOW_INTERRUPTED = 1200;
const HEADER = 0;

/** `face()`: the avatar; `impossible(problem)`: it cannot be talked with live. */
export class Conversation {
  constructor({ stage, transcript, timeline, controls, settings, memory, face, impossible }) {
    Object.assign(this, { stage, controls, settings, memory, face, impossible });
    this.measure = new Measure();
    this.turns = new LiveTurns({ stage, transcript, timeline, measure: this.measure });
    this.atRest = new AtRest(stage.idle);
    this.speaking = new Speaking(this.atRest, {
      shown: (turn, when) => { this.#answering(turn); this.live.send("shown", this.turns.shown(turn, when)); this.#refresh(); },
      played: (turn, at) => this.live.send("played", { turn, at }),
      time: (turn, at) => this.turns.time(turn, at),
      done: (turn) => { this.live.send("done", { turn }); this.turns.played(turn); this.#refresh(); },
      rest: () => { this.#idle(); this.#refresh(); },
      offset: (ms) => this.measure.offset(ms),
      stalled: (turn) => this.measure.stall(turn),
      failed: (turn, problem) => this.#unplayable(turn, problem),
      blocked: (play) => stage.offer(play),
    });
    this.microphone = new Microphone({
      sound: (buffer) => this.live.sound(buffer),
      level: (level) => controls.level(level),
      lost: (error) => controls.problem(error, { kind: "warn" }),
      changed: () => { this.live.send("microphone", { on: this.microphone.on }); this.#refresh(); },
    });
    this.live = new Live({
      hello: () => ({ avatar: face().id, voice: settings.voice(), llm: settings.llm(), language: currentLanguage(), microphone: this.microphone.on }),
      told: (message) => this.#told(message),
      media: (kind, turn, bytes) => (kind === HEADER ? this.speaking.prepare(this.mime, bytes) : this.speaking.fragment(turn, bytes)),
      changed: () => this.#connection(),
    });
    this.asleep = false;
    this.starting = false;
    this.waiters = [];
    this.#clear();
    setInterval(() => { this.#idle(); this.#tire(); }, IDLE_MS);
  }

  #clear() {
    this.turns.clear();
    this.thinking = 0;
    this.userSpeaking = false;
    this.interruptedUntil = 0;
    this.activity = performance.now();
  }

  /** Talk with the chosen face, in this conversation (or a new one). */
  enter(conversation) {
    this.#clear();
    this.asleep = false;
    this.live.open(conversation ?? "");
  }

  /** Talk no more. */
  leave() {
    this.microphone.stop();
    this.live.close();
    this.speaking.reset();
    this.turns.captions.clear();
  }

  get busy() { return this.speaking.active || this.thinking > 0; }

  #told(message) {
    const heed = { ready: this.#ready, user: this.#user, partial: ({ text }) => this.turns.partial(text), heard: this.#heard, begin: this.#begin,
      caption: (caption) => this.turns.caption(caption), answer: (answer) => this.turns.answer(answer), end: this.#end, hold: this.#hold, resume: this.#resume, stop: this.#stop, turn: this.#turn, kept: (kept) => this.turns.kept(kept), error: this.#error }[message.type];
    heed?.call(this, message);
    this.#refresh();
  }

  #ready(message) {
    this.mime = message.mime;
    this.speaking.reset();
    this.measure.surface.session = message.session;
    this.memory.write(`conversation.${this.face().id}`, message.conversation);
    this.atRest.open(message.idle, message.cycle);
    this.controls.notes(message.notes);
    if (!mediaSource().isTypeSupported(message.mime)) {
      queueMicrotask(() => { this.live.close(); this.impossible({ code: "page.live_codec", params: { mime: message.mime } }); });
    }
  }

  #user({ speaking }) {
    this.userSpeaking = speaking;
    if (!speaking) this.turns.partial("");
    this.activity = performance.now();
  }

  #heard(message) {
    this.turns.heard(message, message.typed ? this.sentAt : this.microphone.voice.last);
    this.thinking = message.turn;
    this.userSpeaking = false;
    this.activity = performance.now();
    this.controls.problem(null);
  }

  #begin({ turn, frame }) {
    this.activity = performance.now();
    this.turns.captions.clear(turn - 1);
    this.stage.stop();
    this.speaking.begin(turn, frame);
  }

  #end({ turn, seconds }) {
    this.measure.turn(turn).seconds = seconds;
    this.speaking.end(turn, seconds);
  }

  #hold({ turn }) { if (this.speaking.hold(turn)) this.#noteInterruption(turn); }

  #noteInterruption(turn) {
    const { onset } = this.microphone.voice;
    if (onset !== null) this.measure.interrupted(turn, performance.now() - onset, "voice");
  }

  #resume({ turn }) {
    this.speaking.resume(turn);
    this.turns.partial("");
    this.measure.resumed();
  }

  #stop({ turn, reason }) {
    const showing = this.speaking.turn === turn, { held } = this.speaking;
    this.speaking.stop(turn);
    if (showing && !held && reason === "voice") this.#noteInterruption(turn);
    // Nothing of it was heard: the question goes on, and the next turn has all of it.
    if (reason === "voice" && !this.turns.wasShown(turn)) this.turns.remove(turn);
    if (showing || this.thinking === turn) this.#cut(turn);
  }

  #cut(turn) {
    this.#answering(turn);
    this.turns.cut(turn);
    this.interruptedUntil = performance.now() + SHOW_INTERRUPTED;
    setTimeout(() => this.#refresh(), SHOW_INTERRUPTED + 10);
  }

  /** This turn, or a later one, is no more being thought about. */
  #answering(turn) { if (this.thinking <= turn) this.thinking = 0; }

  #turn(message) {
    this.#answering(message.turn);
    this.turns.over(message, this.speaking.turn === message.turn);
  }

  #error(problem) {
    // What of its answer is there already is still played.
    if (problem.turn && problem.turn !== this.speaking.turn) this.turns.failed(problem.turn);
    this.#answering(problem.turn || Infinity);
    this.controls.problem(problem);
  }

  #unplayable(turn, problem) {
    this.live.send("interrupt", { turn, heard: this.speaking.heard });
    this.#cut(turn);
    this.controls.problem({ code: "page.live_playback", params: { reason: problem?.message ?? "" } });
  }

  /** Hands-free listening on or off. */
  async toggle() {
    this.speaking.bless();
    if (this.microphone.on) { this.microphone.stop(); return; }
    if (this.starting) return;
    this.starting = true;
    this.controls.problem(null);
    this.#refresh();
    try {
      await this.microphone.start();
    } catch (error) {
      this.controls.problem(error, { kind: "warn" });
      this.controls.focusText();
    }
    this.starting = false;
    this.#refresh();
    if (this.microphone.on) await this.#awake();
  }

  mute() { this.microphone.mute(!this.microphone.muted); }

  /** A typed question; false when it could not be sent. */
  async say(text) {
    this.speaking.bless();
    if (!await this.#awake()) return false;
    this.#still();
    this.sentAt = performance.now();
    if (!this.live.ask(text)) return false;
    this.turns.partial(text);
    this.activity = performance.now();
    return true;
  }

  #still() {
    const { turn } = this.speaking;
    if (!turn) return;
    this.speaking.stop(turn);
    this.#cut(turn);
  }

  /** Be silent, now. */
  interrupt() {
    const pressed = performance.now(), turn = this.speaking.turn || this.thinking;
    if (!turn) return;
    const { heard } = this.speaking;
    this.speaking.stop(turn);
    if (heard) this.measure.interrupted(turn, performance.now() - pressed, "button");
    this.live.send("interrupt", { turn, heard });
    this.#cut(turn);
    this.#refresh();
  }

  /** Another voice or language model, from the next turn on. */
  choose(choice) { this.live.send("choose", choice); }

  /** Play a stored answer; the microphone does not listen to it. */
  async replay(url, said) {
    if (this.busy) return;
    const { muted } = this.microphone;
    this.microphone.mute(true);
    await this.stage.play(url, { text: said.length > 90 ? "" : said, rest: true });
    this.microphone.mute(muted);
  }

  #connection() {
    const { state, problem } = this.live;
    if (state !== "ready") this.#lose(state);
    if (state === "ready") { this.asleep = false; this.#idle(); }
    if (["ready", "refused", "off"].includes(state)) for (const settle of this.waiters.splice(0)) settle(state === "ready");
    if (state === "refused") { this.leave(); this.impossible(problem); return; }
    this.#refresh();
  }

  #lose(state) {
    const { turn } = this.speaking, lost = turn || this.thinking;
    this.userSpeaking = false;
    this.turns.partial("");
    this.speaking.stop();
    this.turns.captions.clear();
    this.thinking = 0;
    this.measure.surface.session = "";
    if (!lost || state === "off") return;
    this.turns.cut(lost);
    this.controls.problem({ code: "page.live_lost" }, { kind: "info" });
  }

  #awake() {
    if (this.live.ready) return Promise.resolve(true);
    if (this.live.state === "off") this.live.open(this.live.conversation);
    return new Promise((settle) => this.waiters.push(settle));
  }

  #idle() {
    if (!this.speaking.active && this.live.ready && !this.stage.idle.seeking) this.live.send("idle", { frame: this.atRest.frame });
  }

  #tire() {
    if (!this.live.ready || this.busy || performance.now() - this.activity < ASLEEP_AFTER) return;
    this.asleep = true;
    this.microphone.stop();
    this.live.close();
  }

  #name() {
    const { live, speaking, microphone } = this;
    if (live.state === "off") return this.asleep ? "asleep" : "connecting";
    if (!live.ready) return live.state;
    if (speaking.held) return "held";
    if (speaking.active) return "speaking";
    if (this.userSpeaking) return "hearing";
    if (this.thinking) return "thinking";
    if (performance.now() < this.interruptedUntil) return "interrupted";
    if (this.starting) return "starting";
    if (!microphone.on) return "ready";
    if (microphone.muted) return "muted";
    return microphone.silenced ? "silenced" : "listening";
  }

  #refresh() {
    if (this.live.state === "refused") return;
    const name = this.#name();
    this.measure.surface.state = name;
    this.controls.live(name, { on: this.microphone.on, muted: this.microphone.muted });
  }
}
