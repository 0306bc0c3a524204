// Talking by turns: a question is recorded or typed, a clip is made of the answer, the clip is played.
import { api, get, post } from "./api.js";
import { sentence } from "./i18n.js";
import { cancel, ended, start, watch } from "./jobs.js";
import { Recorder } from "./recorder.js";
import { timingWords } from "./transcript.js";

const STATUS = { hear: "talk.hearing", think: "talk.thinking", speak: "talk.voicing", move: "talk.filming", render: "talk.filming", verify: "talk.filming" };
const SHORTEST = 0.35;
const SILENT_PEAK = 0.004;

/** The way for engines, browsers and machines without live conversation. */
export class ByTurns {
  constructor({ stage, transcript, controls, settings, memory, face }) {
    Object.assign(this, { stage, transcript, controls, settings, memory, face });
    this.recorder = new Recorder((level) => controls.level(level));
    this.conversation = null;
    this.job = null;
    this.row = null;
    this.starting = false;
    this.unwanted = false;
  }

  get busy() { return Boolean(this.job); }

  get recording() { return this.recorder.running; }

  /** This way is in use, for this conversation (or a new one). */
  async enter(conversation) {
    this.conversation = conversation;
    this.#state("idle");
    await this.#takeUp();
  }

  /** Another way is in use; a turn that is being made goes on unseen. */
  leave() {
    this.recorder.drop();
    this.watching?.();
    this.job = null;
    this.stage.stop();
  }

  #state(name, status = null) { this.controls.byTurns(name, status); }

  async beginRecording() {
    if (this.job || this.starting) return;
    this.starting = true;
    this.unwanted = false;
    this.controls.problem(null);
    this.stage.stop();
    try {
      await this.recorder.start();
      this.#state("recording", "talk.listening");
      if (this.unwanted) this.endRecording();
    } catch (error) { this.#state("idle"); this.controls.problem(error, { kind: "warn" }); this.controls.focusText(); }
    this.starting = false;
  }

  async endRecording() {
    if (!this.recorder.running) { this.unwanted = true; return; }
    const long = this.recorder.seconds > SHORTEST;
    const blob = await this.recorder.stop();
    this.#state("idle");
    if (!blob || !long) { this.controls.hint("talk.too_short"); return; }
    this.row = this.transcript.turn("");
    this.#state("working", "talk.sending");
    try {
      const recording = await api("/api/recordings", { method: "POST", body: blob });
      if (recording.peak !== undefined && recording.peak < SILENT_PEAK) throw { code: "page.recording_silent" };
      await this.#ask({ recording: recording.id });
    } catch (error) { this.#failed(error); }
  }

  /** A typed question; false when it could not be sent. */
  async say(text) {
    if (this.job) return false;
    this.stage.stop();
    this.row = this.transcript.turn(text);
    try { await this.#ask({ text }); } catch (error) { this.#failed(error); return false; }
    return true;
  }

  async #id() {
    if (!this.conversation) {
      this.conversation = (await post("/api/conversations", { avatar: this.face().id })).id;
      this.memory.write(`conversation.${this.face().id}`, this.conversation);
    }
    return this.conversation;
  }

  async #ask(question) {
    this.#state("working", "talk.thinking");
    const { settings } = this;
    const request = { conversation: await this.#id(), avatar: this.face().id, ...question, voice: settings.voice(), llm: settings.llm(), device: "auto" };
    let begun;
    try {
      begun = await start("chat", request);
    } catch (error) {
      if (error.status !== 404 || !/conversation/.test(error.code)) throw error;
      this.conversation = null;
      begun = await start("chat", { ...request, conversation: await this.#id() });
    }
    this.#follow(begun);
  }

  #follow(begun) {
    this.job = begun;
    this.memory.write("turn", JSON.stringify({ job: begun.id, avatar: this.face().id }));
    this.watching = watch(begun.id, { job: (job) => this.#see(job), end: (job) => this.#finished(job), gone: (error) => this.#failed(error) });
    this.#see(begun);
  }

  #see(job) {
    this.job = job;
    if (ended(job)) return;
    const said = job.facts ?? {};
    if (said.heard) this.row.hear(said.heard);
    if (said.answer) this.row.answer(said.answer);
    const key = job.cancelling ? "job.cancelling" : job.state === "queued" ? "talk.waiting" : STATUS[job.stage] ?? "talk.thinking";
    this.#state("working", key);
  }

  async #finished(last) {
    this.job = null;
    this.memory.write("turn", null);
    if (last.state === "failed") { this.#failed(last.error); return; }
    if (last.state === "cancelled") { this.row?.stopped(); this.#state("idle"); return; }
    const made = last.result;
    this.row.hear(made.heard);
    this.row.answer(made.answer);
    this.row.notes(made.notes);
    this.row.done(made.url);
    this.controls.timings(() => [timingWords(made.timings), made.llm && sentence(made.llm)].filter(Boolean).join(" · "));
    await this.play(made.url, made.answer);
  }

  /** Play an answer. */
  async play(url, said) {
    this.#state("speaking", "talk.speaking");
    await this.stage.play(url, { text: said.length > 90 ? "" : said, rest: true });
    if (this.controls.state === "speaking") this.#state("idle");
  }

  #failed(error) {
    this.watching?.();
    this.job = null;
    this.memory.write("turn", null);
    this.row?.stopped();
    this.#state("idle");
    this.controls.problem(error);
  }

  /** Stop what is going on. */
  stop() {
    if (this.recorder.running) { this.recorder.drop(); this.#state("idle"); return; }
    this.stage.stop();
    if (this.job && !this.job.cancelling) {
      this.#see({ ...this.job, cancelling: true });
      cancel(this.job.id).catch((error) => this.#failed(error));
    }
  }

  async #takeUp() {
    const kept = JSON.parse(this.memory.read("turn") ?? "null");
    if (!kept || kept.avatar !== this.face().id) return;
    try {
      const running = await get(`/api/jobs/${kept.job}`);
      if (ended(running)) { this.memory.write("turn", null); return; }
      this.row = this.transcript.turn(running.facts?.heard ?? "");
      this.#follow(running);
    } catch { this.memory.write("turn", null); }
  }
}
