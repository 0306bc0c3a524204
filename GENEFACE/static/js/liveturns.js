// The turns of a live conversation: a row in the transcript, a caption, a timeline and a measurement each.
import { Captions } from "./captions.js";
import { h } from "./dom.js";
import { secondsWords } from "./timeline.js";

/** `stage` shows the captions; `measure` is what benchmarks read. */
export class LiveTurns {
  constructor({ stage, transcript, timeline, measure }) {
    Object.assign(this, { transcript, timeline, measure });
    this.captions = new Captions(stage);
    this.clear();
  }

  clear() {
    this.rows = new Map();
    this.begun = new Map();
    this.said = "";
    this.captions.clear();
    this.transcript.partial("");
  }

  partial(text) { this.transcript.partial(text); }

  /** A question; the user had spoken (or sent it) `from` then, by `performance.now()`. */
  heard({ turn, text, typed, note }, from) {
    const row = this.transcript.turn(text);
    if (note) row.notes([note]);
    this.rows.set(turn, row);
    this.begun.set(turn, from);
    this.measure.turn(turn).typed = typed;
  }

  answer({ turn, text }) { this.rows.get(turn)?.answer(text); }

  caption(message) { this.captions.add(message); }

  /** The first picture was there at `at`, its data at `arrived`; what the server is told of it. */
  shown(turn, { at, arrived }) {
    const first = at + this.captions.first(turn) * 1000, from = this.begun.get(turn) ?? null;
    const entry = this.measure.turn(turn);
    entry.first_frame_ms = from === null ? null : Math.round(first - from);
    entry.play_ms = arrived === null ? null : Math.round(at - arrived);
    this.timeline.show(entry);
    return { turn, first_frame_ms: entry.first_frame_ms, play_ms: entry.play_ms };
  }

  /** The turn's video is at `at` seconds. */
  time(turn, at) {
    const said = this.captions.at(turn, at), mark = `${turn}/${said.length}`;
    if (mark === this.said) return;
    this.said = mark;
    this.rows.get(turn)?.said(said);
  }

  /** Everything of it was played. */
  played(turn) {
    this.captions.clear(turn);
    this.rows.get(turn)?.whole();
  }

  /** Whether anything of it was on the screen. */
  wasShown(turn) { return this.measure.turn(turn).play_ms !== null; }

  /** As if it had never been. */
  remove(turn) {
    this.rows.get(turn)?.remove();
    this.rows.delete(turn);
  }

  /** It was interrupted. */
  cut(turn) {
    this.captions.clear(turn);
    this.rows.get(turn)?.interrupted(null);
  }

  failed(turn) {
    this.captions.clear(turn);
    this.rows.get(turn)?.failed();
  }

  /** It is stored, and can be played again at `url`, if there is anything to see. */
  kept({ turn, url }) { if (url) this.rows.get(turn)?.again(url); }

  /** It is over; `playing`: the face still says it. */
  over({ turn, question, answer, heard, notes, stages }, playing) {
    const row = this.rows.get(turn), entry = this.measure.turn(turn);
    entry.stages = stages;
    this.timeline.show(entry);
    if (!row) return;
    row.hear(question);
    row.answer(answer);
    row.notes(notes);
    if (heard < 1) row.interrupted(heard);
    else if (!playing) row.whole();
    if (entry.first_frame_ms === null) return;
    row.tool(h("button", { type: "button", class: "button plain numbers latency", live: () => secondsWords(entry.first_frame_ms),
      on: { click: () => this.timeline.show(entry) } }));
  }
}
