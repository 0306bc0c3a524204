// What a face looks like afterwards: as it is, another person's, or clearer.
import { fill, h } from "./dom.js";
import { WhoseFace } from "./whoseface.js";

/**
 * Inside `element`; `modes` are some of "recorded", "another", "clearer".  `changed(value)`: null when nothing
 * is to be changed, false while something is lacking, else `{photos, consent}` or `{photos: []}`.
 */
export class Appearance {
  constructor(element, modes, changed) {
    Object.assign(this, { modes, changed, mode: modes[0], face: null, whose: null });
    this.panel = h("div", { class: "stack tight", role: "tabpanel", id: "appearance-panel" });
    this.tabs = modes.map((mode, n) => h("button", { type: "button", role: "tab", id: `appearance-${mode}`, "aria-controls": "appearance-panel", t: `swap.mode_${mode}`,
      on: { click: () => this.show(mode), keydown: (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = (n + step + modes.length) % modes.length;
        this.show(modes[next]);
        this.tabs[next].focus();
      } } }));
    this.another = h("div", { class: "stack tight" });
    this.clearer = h("p", { class: "small soft", t: "swap.clearer_help" });
    fill(this.panel, this.another, this.clearer);
    fill(element, h("div", { class: "segments", role: "tablist", label: "swap.appearance" }, this.tabs), this.panel);
    this.show(this.mode);
  }

  /** Choose one of the modes. */
  show(mode) {
    this.mode = mode;
    this.tabs.forEach((tab, n) => {
      tab.setAttribute("aria-selected", String(this.modes[n] === mode));
      tab.tabIndex = this.modes[n] === mode ? 0 : -1;
    });
    this.panel.setAttribute("aria-labelledby", `appearance-${mode}`);
    this.panel.hidden = mode === "recorded";
    this.another.hidden = mode !== "another";
    this.clearer.hidden = mode !== "clearer";
    if (mode === "another") this.whose ??= new WhoseFace(this.another, (face) => { this.face = face; this.#tell(); });
    this.#tell();
  }

  #tell() {
    if (this.mode === "recorded") this.changed(null);
    else if (this.mode === "clearer") this.changed({ photos: [] });
    else this.changed(this.face ? { photos: this.face.photos, consent: this.face.consent } : false);
  }
}
