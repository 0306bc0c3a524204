// How a face is changed: engine, restoration, edge, quality, sound; each said in a sentence.
import { copyButton, fill, h } from "./dom.js";
import { t, tOr } from "./i18n.js";
import { notice } from "./problems.js";

const BLENDS = ["alpha", "laplace", "poisson"];
const IMPORT = "python -m backend.face_models import FOLDER";
const SIZES = [0, 1920, 1280, 720];

/** What an engine lacks, with the command that mends it. */
const lacking = (engine) => (engine.lacks ? [notice(engine.lacks, { kind: "info", number: "E02" }),
  h("div", { class: "remedy" }, h("code", {}, IMPORT), copyButton(IMPORT))] : []);

const titleOf = (engine) => tOr(`swap.engine_${engine.name}`, engine.title);

/** Inside `element`, from the answer of /api/faceswap; `value(swapping)` is what is asked for. */
export class SwapOptions {
  constructor(element, told) {
    Object.assign(this, { element, told, touched: false });
    this.engines = h("div", { class: "engines", id: "swap-engines" }, told.engines.map((engine) => this.#engine(engine)));
    this.restorer = restorerSelect(told, "swap-restorer");
    this.restorer.element.addEventListener("change", () => this.#ready());
    this.restore = slider("restore", 80), this.strength = slider("strength", 100), this.quality = slider("quality", 80);
    this.blend = select("swap-blend", BLENDS.map((name) => [name, () => t(`swap.blend_${name}`)]));
    this.size = select("swap-size", SIZES.map((side) => [side, () => (side ? t("swap.pixels", { n: side }) : t("swap.size_same"))]));
    this.sound = h("input", { type: "checkbox", id: "swap-sound", checked: true });
    this.engineField = h("div", { class: "field" }, h("span", { class: "legend", id: "swap-engine-title", t: "swap.engine" }), this.engines);
    this.engines.setAttribute("role", "radiogroup");
    this.engines.setAttribute("aria-labelledby", "swap-engine-title");
    this.swapFields = h("div", { class: "pair" }, this.strength.element, named("swap.blend", this.blend));
    fill(element, this.engineField,
      h("div", { class: "pair" }, named("swap.restorer", this.restorer.element, "swap.restorer_help"), this.restore.element), this.restorer.lacks,
      this.swapFields, h("div", { class: "pair" }, this.quality.element, named("swap.size", this.size)),
      h("label", { for: "swap-sound", class: "tick" }, this.sound, h("span", { class: "small", t: "swap.sound" })));
    this.#ready();
  }

  /** Whether a face is put in (all fields), or faces are only made clearer; whether it is a video. */
  show({ swapping, video }) {
    this.engineField.hidden = this.swapFields.hidden = !swapping;
    this.sound.parentElement.hidden = !video;
    this.restorer.needed(!swapping);
    this.#ready();
  }

  /** The fields of SwapForm that are set here. */
  value() {
    const engine = this.element.querySelector("input[name=swap-engine]:checked")?.value ?? "";
    return { engine: this.touched ? engine : "", restorer: this.restorer.element.value, restore: this.restore.value(), strength: this.strength.value(),
      blend: this.blend.value, quality: Math.round(this.quality.value() * 100), max_dim: Number(this.size.value), sound: this.sound.checked };
  }

  #ready() { this.restore.element.hidden = !this.restorer.element.value; }

  #engine(engine) {
    const id = `swap-engine-${engine.name}`, first = this.told.engines.filter((one) => one.ready);
    const best = first.find((one) => one.name !== "embedded") ?? first[0];
    return h("label", { class: "engine", for: id },
      h("input", { type: "radio", name: "swap-engine", id, value: engine.name, disabled: !engine.ready, checked: engine === best, on: { change: () => { this.touched = true; } } }),
      h("div", {}, h("span", { class: "engine-name", live: () => titleOf(engine) }),
        h("span", { class: "small soft", live: () => tOr(`swap.engine_${engine.name}_help`, "") }),
        engine.ready ? h("span", { class: "chips" }, h("span", { class: "chip" }, engine.provider)) : null, engine.ready ? null : lacking(engine)));
  }
}

/** Which restorer, and what the missing ones lack. */
export function restorerSelect(told, id) {
  const element = select(id, [["", () => t("swap.restorer_none")], ...told.restorers.map((one) => [one.name, () => titleOf(one)])]);
  for (const one of told.restorers) if (!one.ready) element.querySelector(`[value="${one.name}"]`).disabled = true;
  const best = told.restorers.find((one) => one.ready && one.name !== "embedded") ?? told.restorers.find((one) => one.ready);
  const missing = told.restorers.filter((one) => !one.ready);
  const lacks = missing.length ? h("details", { class: "more" }, h("summary", { t: "swap.restorer_lacks" }), h("div", { class: "inside" }, missing.flatMap(lacking))) : null;
  return {
    element, lacks,
    /** Without a new face something must be made clearer. */
    needed(yes) {
      element.querySelector("[value='']").disabled = yes;
      if (yes && !element.value) element.value = best?.name ?? "";
    },
  };
}

function named(key, input, help = null) {
  return h("div", { class: "field" }, h("label", { for: input.id, t: key }), input, help ? h("span", { class: "help", t: help }) : null);
}

function select(id, options) {
  return h("select", { class: "select", id }, options.map(([value, live]) => h("option", { value: String(value), live })));
}

/** A range of 0 to 100 with its number; `value()` is the share. */
function slider(name, start) {
  const input = h("input", { class: "range", id: `swap-${name}`, type: "range", min: "0", max: "100", step: "5", value: String(start) });
  const shown = h("output", { class: "numbers", for: input.id });
  const show = () => { shown.textContent = input.value; };
  input.addEventListener("input", show);
  show();
  return { value: () => Number(input.value) / 100,
    element: h("div", { class: "field" }, h("div", { class: "label-row" }, h("label", { for: input.id, t: `swap.${name}` }), shown), input, h("span", { class: "help", t: `swap.${name}_help` })) };
}
