// How fast an answer came: one bar a stage, in milliseconds after the end of the user's speech, and one number.
import { fill, h } from "./dom.js";
import { number } from "./format.js";
import { bind, t } from "./i18n.js";

const ORDER = ["turn_end", "asr", "llm", "tts", "render", "mux", "play"];

/** "0.7 s". */
export const secondsWords = (ms) => t("unit.seconds", { n: (ms / 1000).toFixed(1) });

/** The stages of one turn, with the one that only the browser knows. */
export function measured({ stages, first_frame_ms: first, play_ms: play }) {
  const told = (stages ?? []).filter((stage) => stage.name !== "play" || first === null);
  const own = first === null || play === null ? [] : [{ name: "play", start_ms: first - play, end_ms: first }];
  return [...told, ...own];
}

/** The small chart below the conversation. */
export class Timeline {
  constructor(element) {
    this.element = element;
    this.clear();
  }

  clear() {
    fill(this.element);
    this.element.hidden = true;
  }

  /** Draw a turn: an entry of `Measure.turns`. */
  show(turn) {
    if (turn.first_frame_ms === null) { this.clear(); return; }
    const stages = measured(turn);
    const to = Math.max(turn.first_frame_ms, 400, ...stages.map((stage) => Math.min(stage.end_ms, turn.first_frame_ms * 1.5)));
    const from = Math.min(0, ...stages.map((stage) => stage.start_ms));
    const place = (ms) => 100 * (Math.min(Math.max(ms, from), to) - from) / (to - from);
    const words = h("p", { class: "timeline-words" });
    const plain = () => bind(words, () => t(turn.typed ? "live.timeline_typed" : "live.timeline_spoken"));
    // Every stage has its row from the beginning, so that nothing moves when the server tells the others.
    const bars = ORDER.map((name) => {
      const stage = stages.find((each) => each.name === name);
      if (!stage) return h("span", { class: "timeline-row" });
      const line = () => t("live.stage_line", { name: t(`live_stage.${name}`), start: number(stage.start_ms), end: number(stage.end_ms) });
      const tell = () => bind(words, line);
      const left = place(stage.start_ms), width = Math.max(place(stage.end_ms) - left, 0.8);
      return h("button", { type: "button", class: `timeline-row ${name}`, on: { pointerenter: tell, focus: tell, click: tell, pointerleave: plain, blur: plain } },
        h("span", { class: "sr", live: line }),
        h("i", { style: `left:${left.toFixed(2)}%;width:${width.toFixed(2)}%` }));
    });
    plain();
    fill(this.element,
      h("strong", { class: "timeline-number", live: () => secondsWords(turn.first_frame_ms) }), words,
      h("div", { class: "timeline-chart" }, bars));
    this.element.hidden = false;
  }
}
