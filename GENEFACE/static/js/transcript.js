// What was said, by whom, with what should be known about it.
import { button, fill, h, icon } from "./dom.js";
import { exactSeconds, whole } from "./format.js";
import { bind, sentence, t } from "./i18n.js";

/** How many characters of `answer` the sentences so far cover. */
function covered(answer, sentences) {
  let at = 0;
  for (const said of sentences) {
    const found = answer.indexOf(said.trim(), at);
    if (found >= 0) at = found + said.trim().length;
  }
  return at;
}

/** The end of the last whole word within the first `at` characters. */
function wordEnd(text, at) {
  const letter = /[\p{Script=Latin}\p{N}']/u;
  let end = at;
  while (end > 0 && end < text.length && letter.test(text[end - 1]) && letter.test(text[end])) end -= 1;
  return end;
}

/** The list of turns; `replay(url, text)` when an answer is to be seen again. */
export class Transcript {
  constructor(element, replay) {
    this.element = element;
    this.replay = replay;
    this.clear();
  }

  clear() {
    this.draft = null;
    fill(this.element, h("p", { class: "nothing", t: "talk.nothing" }));
  }

  #down() { this.element.scrollTop = this.element.scrollHeight; }

  #add(row) {
    this.element.querySelector(".nothing")?.remove();
    this.element.append(row);
    this.#down();
  }

  /** What is being said to the face, word by word; "" takes it away. */
  partial(text) {
    if (!text) { this.draft?.remove(); this.draft = null; return; }
    if (!this.draft) {
      // Not read out: every word would come again with the next one.
      this.draft = h("div", { class: "turn", "aria-hidden": "true" }, h("p", { class: "says me draft" }));
      this.#add(this.draft);
    }
    this.draft.firstElementChild.textContent = text;
    this.#down();
  }

  /** A new turn; `{hear(text), answer(text), said(sentences), interrupted(share), whole(), notes(list), done(url) …}`. */
  turn(question) {
    this.partial("");
    const mine = h("p", { class: "says me" }), theirs = h("p", { class: "says it", hidden: true });
    const notes = h("ul", { class: "notes", hidden: true }), tools = h("div", { class: "turn-tools" });
    const row = h("div", { class: "turn" }, mine, theirs, notes, tools);
    this.#add(row);
    const down = () => this.#down();
    const hear = (text) => { if (text) { delete mine.dataset.live; mine.textContent = text; } else bind(mine, () => t("talk.listening_to")); down(); };
    hear(question);
    let said = "", share = null;
    const split = (at) => {
      fill(theirs, said.slice(0, at), at < said.length ? h("span", { class: "unsaid" }, said.slice(at)) : null);
      theirs.hidden = !said;
    };
    return {
      hear,
      answer(text) { said = text; if (share === null) { theirs.hidden = !text; theirs.textContent = text; } else split(share); down(); },
      /** From now on what was not yet spoken is in a softer tone. */
      said(sentences) { share = covered(said, sentences); split(share); },
      interrupted(part) {
        share = part === null ? share ?? 0 : wordEnd(said, Math.round(said.length * part));
        theirs.classList.add("cut");
        split(share);
        if (!tools.querySelector(".cut-note")) tools.prepend(h("span", { class: "cut-note", t: "live.interrupted_mark" }));
        down();
      },
      /** All of it was spoken. */
      whole() { share = said.length; split(share); },
      notes(list) {
        notes.hidden = !list?.length;
        fill(notes, (list ?? []).map((note) => h("li", {}, icon("info"), h("span", { live: () => sentence(note) }))));
        down();
      },
      tool(element) { tools.append(element); down(); },
      again: (url) => { tools.append(button({ t: "talk.replay", icon: "play", class: "plain", on: () => this.replay(url, said) })); down(); },
      done(url) { fill(tools); if (url) this.again(url); else down(); },
      remove: () => row.remove(),
      failed() { fill(tools, h("span", { t: "live.failed_mark" })); },
      stopped() { fill(tools, h("span", { t: "talk.stopped" })); if (!mine.textContent || mine.dataset.live !== undefined) bind(mine, () => t("talk.not_heard")); },
    };
  }
}

const PARTS = ["asr", "llm", "tts", "video"];

/** "understood 0.8 s · thought 1.2 s …" */
export function timingWords(timings) {
  return PARTS.filter((part) => timings?.[part] >= 0.05).map((part) => t(`timing.${part}`, { time: exactSeconds(timings[part]) })).map(whole).join(" · ");
}
