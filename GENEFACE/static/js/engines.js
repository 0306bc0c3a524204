// Engines, with what each needs; devices; the time a training will take.
import { fill, h } from "./dom.js";
import { sentence, t, tOr } from "./i18n.js";
import { remedyLine } from "./problems.js";
import { missingWeights } from "./weights.js";

/** Words for a device choice; `gpus` tell of models and memory where they are known. */
export function deviceName(device, gpus = []) {
  if (device === "auto") return t("device.auto");
  const gpu = gpus.find((one) => one.name === device);
  if (!gpu?.title) return device;
  if (gpu.memory_total === null) return `${device} (${gpu.title})`;
  const gb = (bytes) => (bytes / 2 ** 30).toFixed(1);
  return t("device.gpu", { name: device, title: gpu.title, free: gb(gpu.memory_free), total: gb(gpu.memory_total) });
}

/** Fill a select with devices. */
export function deviceSelect(select, devices, gpus) {
  const value = select.value;
  fill(select, ["auto", ...devices].map((device) => h("option", { value: device, live: () => deviceName(device, gpus) })));
  if ([...select.options].some((option) => option.value === value)) select.value = value;
}

/** Radio cards, those that are not installed greyed with reason and remedy; `choose(engine)`. */
export function engineCards(element, list, chosen, choose) {
  fill(element, list.map((engine) => {
    const missing = engine.needs.filter((need) => !need.ok);
    return h("label", { class: "engine" },
      h("input", { type: "radio", name: "engine", value: engine.name, checked: engine.name === chosen, disabled: !engine.installed,
        on: { change: () => choose(engine) } }),
      h("div", {},
        h("div", { class: "row tight" }, h("span", { class: "engine-name" }, h("strong", { live: () => tOr(`engine.${engine.name}`, engine.title) })),
          h("span", { class: `chip ${engine.installed ? "good" : ""}`, live: () => (engine.installed ? engine.devices.join(", ") : t("engine.not_installed")) })),
        h("span", { class: "small soft", live: () => tOr(`engine_summary.${engine.name}`, engine.summary) }),
        engine.installed || !missing.length ? null : h("details", { class: "more", on: { click: (event) => event.stopPropagation() } },
          h("summary", { live: () => t("engine.lacks", { n: missing.length }) }),
          h("div", { class: "inside" }, missing.map((need) => h("div", { class: "stack tight" },
            h("span", { class: "small", live: () => `${tOr(`needs.${need.name.replace(/\W+/g, "_")}`, need.name)}: ${sentence(need.detail)}` }),
            need.remedy ? remedyLine(need.remedy) : null,
            need.name === `${engine.name} weights` ? weightDetails(engine.name) : null))))));
  }));
}

/** The missing files of an engine one by one, looked up when somebody opens it. */
function weightDetails(engine) {
  const inside = h("div", { class: "inside" });
  const look = () => { if (!inside.children.length) fill(inside, missingWeights(engine)); };
  return h("details", { class: "more weights", on: { toggle: look, click: (event) => event.stopPropagation() } },
    h("summary", { t: "weights.list" }), inside);
}

/** Seconds a training is likely to take here; null when nothing is known. */
export function expectedSeconds(engine, epochs, list) {
  if (engine?.name !== "lite") return null;
  const past = list.filter((avatar) => avatar.engine === "lite" && avatar.kind === "video" && avatar.seconds_trained > 0 && avatar.figures?.epochs > 0);
  if (past.length) return past[0].seconds_trained * (0.25 + (0.75 * epochs) / past[0].figures.epochs);
  return 100 + 42 * epochs;
}
