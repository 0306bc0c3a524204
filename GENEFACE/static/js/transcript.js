// What was said, by whom, with what should be known about it.
import { button, fill, h, icon } from "./dom.js";
import { exactSeconds, whole } from "./format.js";
import { bind, sentence, t } from "./i18n.js";

/** The list of turns; `replay(url, text)` when an answer is to be seen again. */
export class Transcript {
  constructor(element, replay) {
    this.element = element;
    this.replay = replay;
    this.clear();
  }

  clear() {
    fill(this.element, h("p", { class: "nothing", t: "talk.nothing" }));
  }

  /** A new turn; `{hear(text), answer(text), notes(list), done(url), drop()}`. */
  turn(question) {
    this.element.querySelector(".nothing")?.remove();
    const mine = h("p", { class: "says me" }), theirs = h("p", { class: "says it", hidden: true });
    const notes = h("ul", { class: "notes", hidden: true }), tools = h("div", { class: "turn-tools" });
    const row = h("div", { class: "turn" }, mine, theirs, notes, tools);
    this.element.append(row);
    const down = () => { this.element.scrollTop = this.element.scrollHeight; };
    const hear = (text) => { if (text) { delete mine.dataset.live; mine.textContent = text; } else bind(mine, () => t("talk.listening_to")); down(); };
    hear(question);
    let said = "";
    return {
      hear,
      answer(text) { said = text; theirs.hidden = !text; theirs.textContent = text; down(); },
      notes(list) {
        notes.hidden = !list?.length;
        fill(notes, (list ?? []).map((note) => h("li", {}, icon("info"), h("span", { live: () => sentence(note) }))));
        down();
      },
      done: (url) => { fill(tools, url ? button({ t: "talk.replay", icon: "play", class: "plain", on: () => this.replay(url, said) }) : null); down(); },
      stopped() { fill(tools, h("span", { t: "talk.stopped" })); if (!mine.textContent || mine.dataset.live !== undefined) bind(mine, () => t("talk.not_heard")); },
    };
  }
}

const PARTS = ["asr", "llm", "tts", "video"];

/** "understood 0.8 s · thought 1.2 s …" */
export function timingWords(timings) {
  return PARTS.filter((part) => timings?.[part] >= 0.05).map((part) => t(`timing.${part}`, { time: exactSeconds(timings[part]) })).map(whole).join(" · ");
}
