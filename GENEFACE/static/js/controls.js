// The controls of the Talk page: what can be pressed in which state, and the words for it.
import { $, fill, h, icon } from "./dom.js";
import { bind, sentence, t } from "./i18n.js";
import { showNotice } from "./problems.js";

const touch = matchMedia("(hover: none)").matches;
const VOLUME = "visage.volume";
const LISTENING = ["listening", "hearing", "muted", "silenced"];
const ANSWERING = ["thinking", "speaking", "held"];
const AWAY = ["connecting", "reconnecting", "gone", "starting"];
const QUIET = ["ready", "asleep"];

/** The elements around the face. */
export class Controls {
  constructor(stage) {
    this.stage = stage;
    this.mic = $("#mic");
    this.mute = $("#mute");
    this.stopButton = $("#stop");
    this.text = $("#text");
    this.place = $("#problem");
    this.state = "";
  }

  #show(name, { micPressed, mic, stop, say, status, hint }) {
    this.state = name;
    document.documentElement.dataset.talk = name;
    this.mic.setAttribute("aria-pressed", String(micPressed));
    this.mic.disabled = !mic;
    this.stopButton.disabled = !stop;
    $("#say button").disabled = !say;
    this.stage.tell(status);
    this.hint(hint);
  }

  /** Nothing can be done yet: there is no face. */
  waiting() {
    this.#way("turns");
    this.#show("idle", { micPressed: false, mic: false, stop: false, say: false, status: null, hint: null });
  }

  /** A state of talking by turns. */
  byTurns(name, status) {
    this.#way("turns");
    const variant = touch && name !== "recording" ? "_touch" : "";
    this.#show(name, { micPressed: name === "recording", mic: name !== "working", stop: name !== "idle", say: name !== "working", status,
      hint: `talk.hint_${name}${variant}` });
  }

  /** A state of a live conversation; `on`: whether the microphone is. */
  live(name, { on, muted }) {
    this.#way("live");
    const status = QUIET.includes(name) ? null : `live_state.${name}`;
    this.mute.disabled = !on;
    this.mute.setAttribute("aria-pressed", String(muted));
    this.#label(this.mute, muted ? "live.unmute" : "live.mute");
    this.#label(this.mic, on ? "live.mic_off" : "live.mic_on");
    this.#show(name, { micPressed: on, mic: !AWAY.includes(name) || on, stop: ANSWERING.includes(name), say: !AWAY.includes(name), status,
      hint: touch && ["ready", "speaking", "thinking"].includes(name) ? `live_hint.${name}_touch` : `live_hint.${name}` });
    this.mic.classList.toggle("open", on && LISTENING.includes(name));
  }

  #way(way) {
    if (document.documentElement.dataset.way === way) return;
    document.documentElement.dataset.way = way;
    this.mute.hidden = way !== "live";
    if (way === "turns") { this.mic.classList.remove("open"); this.#label(this.mic, "talk.mic"); }
  }

  #label(button, key) {
    button.dataset.i18nLabel = key;
    button.setAttribute("aria-label", t(key));
    button.title = t(key);
  }

  /** One line below the face. */
  hint(key) { bind($("#hint"), () => (key ? t(key) : "")); }

  /** A failure with its remedy, or null to take it away. */
  problem(problem, options) {
    if (problem) showNotice(this.place, problem, options);
    else fill(this.place);
  }

  /** What should be known of this conversation. */
  notes(list) {
    const place = $("#notes");
    place.hidden = !list?.length;
    fill(place, (list ?? []).map((note) => h("li", {}, icon("info"), h("span", { live: () => sentence(note) }))));
  }

  /** One line in the foot of the conversation. */
  timings(words) { bind($("#timings"), words); }

  /** How loud the microphone is. */
  level(level) { this.mic.style.setProperty("--level", level.toFixed(2)); }

  focusText() { this.text.focus({ preventScroll: true }); }

  /** The volume, remembered; `changed(0…1)` now and whenever it is changed. */
  volume(changed) {
    const range = $("#volume"), button = $("#silence");
    let before = 1;
    try { range.value = localStorage.getItem(VOLUME) ?? "1"; } catch { /* private window */ }
    const tell = () => {
      const value = Number(range.value);
      if (value) before = value;
      button.setAttribute("aria-pressed", String(!value));
      button.querySelector("use").setAttribute("href", `/static/icons/icons.svg#${value ? "volume" : "silent"}`);
      this.#label(button, value ? "live.silence" : "live.unsilence");
      try { localStorage.setItem(VOLUME, range.value); } catch { /* private window */ }
      changed(value);
    };
    range.addEventListener("input", tell);
    button.addEventListener("click", () => { range.value = Number(range.value) ? "0" : String(before); tell(); });
    tell();
  }
}
