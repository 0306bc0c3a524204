// What is being said, under the face, sentence by sentence.
const LINGER = 0.4;

/** Shows on the stage, and tells how much of the answer was said. */
export class Captions {
  constructor(stage) {
    this.stage = stage;
    this.lines = new Map();
    this.shown = "";
  }

  /** Show nothing, and forget the turns up to this one. */
  clear(turn = Infinity) {
    for (const known of this.lines.keys()) if (known <= turn) this.lines.delete(known);
    this.#show("");
  }

  #show(text) {
    if (text === this.shown) return;
    this.shown = text;
    this.stage.say(text);
  }

  /** A sentence of a turn, heard from `start` on for `seconds`. */
  add({ turn, text, start, seconds }) {
    this.lines.set(turn, [...(this.lines.get(turn) ?? []), { text, start, end: start + seconds }]);
  }

  /** Seconds of the turn's video at which its first sentence is heard; 0 while none is known. */
  first(turn) { return this.lines.get(turn)?.[0].start ?? 0; }

  /** The turn is at `time`: show its sentence; the sentences that have begun. */
  at(turn, time) {
    const begun = (this.lines.get(turn) ?? []).filter((line) => line.start <= time + 0.02);
    const last = begun.at(-1);
    this.#show(last && time < last.end + LINGER ? last.text : "");
    return begun.map((line) => line.text);
  }
}
