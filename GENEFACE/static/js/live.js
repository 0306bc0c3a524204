// The connection of a live conversation: docs/live.md, from the browser's side.
import { ApiError, get } from "./api.js";

const WAITS = [300, 700, 1500, 3000, 5000, 8000];
const GONE_AFTER = 20_000;
const ANSWER_WITHIN = 10_000;
const STUCK_BYTES = 96_000;

/** `MediaSource`, or what an iPhone has instead; undefined where there is none. */
export const mediaSource = () => window.ManagedMediaSource ?? window.MediaSource;

/** Why a live conversation cannot be tried in this browser, or null. */
export function lacking() {
  if (!window.WebSocket) return new ApiError({ code: "page.live_unsupported" });
  return mediaSource() ? null : new ApiError({ code: "page.live_unsupported" });
}

/**
 * One conversation over as many sockets as it takes.  `hello()` gives the fields of the first message; `told(message)`
 * gets what the server says; `media(kind, turn, bytes)` the video; `changed()` whenever `state` or `problem` changes:
 * `off`, `connecting`, `ready`, `reconnecting`, `gone` (it goes on trying) or `refused` (it does not).
 */
export class Live {
  constructor({ hello, told, media, changed }) {
    Object.assign(this, { hello, told, media, changed });
    this.state = "off";
    this.problem = null;
    this.session = "";
    this.conversation = "";
    this.tries = 0;
    this.known = false;
    addEventListener("offline", () => { if (this.state === "ready") this.#drop(); });
    addEventListener("online", () => this.#hurry());
    document.addEventListener("connection", ({ detail }) => { if (!detail.away) this.#hurry(); });
    addEventListener("pagehide", () => this.close());
  }

  get ready() { return this.state === "ready"; }

  #become(state, problem = null) {
    this.state = state;
    this.problem = problem;
    this.changed();
  }

  /** Connect; with another `conversation` (or none) for another one. */
  open(conversation = "") {
    this.close();
    this.conversation = conversation;
    this.tries = 0;
    this.lostAt = 0;
    this.known = false;
    this.#become("connecting");
    this.#connect();
  }

  /** Be silent: no socket, no further tries. */
  close() {
    clearTimeout(this.later);
    clearTimeout(this.waiting);
    const { socket } = this;
    this.socket = null;
    socket?.close(1000);
    if (this.state !== "off") this.#become("off");
  }

  #connect() {
    const secure = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${secure}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    const mine = (run) => (event) => { if (this.socket === socket) run(event); };
    socket.onopen = mine(() => this.#send({ type: "hello", conversation: this.conversation, ...this.hello() }));
    socket.onmessage = mine(({ data }) => (typeof data === "string" ? this.#hear(data) : this.#watch(data)));
    socket.onclose = mine(() => { this.socket = null; this.#lost(); });
  }

  #hear(data) {
    const message = JSON.parse(data);
    clearTimeout(this.waiting);
    if (message.type === "refused") {
      const { socket } = this;
      this.socket = null;
      socket.close(1000);
      this.#become("refused", new ApiError(message));
      return;
    }
    if (message.type === "ready") {
      Object.assign(this, { session: message.session, conversation: message.conversation, tries: 0, known: true, lostAt: 0 });
      this.told(message);
      this.#become("ready");
      return;
    }
    this.told(message);
  }

  #watch(data) {
    const view = new DataView(data);
    this.media(view.getUint8(0), view.getUint32(1), new Uint8Array(data, 5));
  }

  async #lost() {
    clearTimeout(this.waiting);
    this.lostAt ||= performance.now();
    const wait = WAITS[Math.min(this.tries, WAITS.length - 1)] * (0.8 + 0.4 * Math.random());
    this.tries += 1;
    this.#become(performance.now() - this.lostAt > GONE_AFTER ? "gone" : this.known ? "reconnecting" : "connecting");
    this.later = setTimeout(() => this.#connect(), wait);
    if (this.known || this.tries < 3) return;
    const turn = this.tries;
    try { await get("/api/health"); } catch { return; }
    if (this.tries !== turn || this.known || this.state === "off" || this.state === "refused") return;
    // The server answers, but never here: something between does not pass WebSockets, or it has no /live.
    clearTimeout(this.later);
    this.socket?.close();
    this.socket = null;
    this.#become("refused", new ApiError({ code: "page.live_blocked" }));
  }

  #drop() {
    const { socket } = this;
    this.socket = null;
    socket?.close();
    if (this.state !== "off" && this.state !== "refused") this.#lost();
  }

  #hurry() {
    if (!["reconnecting", "gone", "connecting"].includes(this.state) || this.socket) return;
    clearTimeout(this.later);
    this.#connect();
  }

  #send(message) { this.socket.send(typeof message === "string" ? message : JSON.stringify(message)); }

  /** Tell the server something; false when it cannot be told now. */
  send(type, fields = {}) {
    if (!this.ready || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.#send({ type, ...fields });
    return true;
  }

  /** A question that must be answered soon; a connection that has died silently is noticed by this. */
  ask(text) {
    if (!this.send("say", { text })) return false;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#drop(), ANSWER_WITHIN);
    return true;
  }

  /** What the microphone heard. */
  sound(buffer) {
    if (!this.ready || this.socket?.readyState !== WebSocket.OPEN) return;
    if (this.socket.bufferedAmount > STUCK_BYTES) { this.#drop(); return; }
    this.socket.send(buffer);
  }
}
