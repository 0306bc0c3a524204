// Engines, with what each needs; devices; the time a training will take.
import { fill, h } from "./dom.js";
import { duration } from "./format.js";
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

/** Radio cards, one for each way an engine can learn, with the time it takes; `choose(name)`. */
export function qualityCards(element, engine, chosen, seconds, choose) {
  fill(element, (engine?.qualities ?? []).map(({ name }) => h("label", { class: "engine" },
    h("input", { type: "radio", name: "quality", value: name, checked: name === chosen, on: { change: () => choose(name) } }),
    h("div", {},
      h("div", { class: "row tight" }, h("span", { class: "engine-name" }, h("strong", { live: () => tOr(`quality.${name}`, name) })),
        h("span", { class: "chip numbers", live: () => duration(seconds(name)) })),
      h("span", { class: "small soft", live: () => tOr(`quality_summary.${name}`, "") })))));
}

/** Seconds a training is likely to take here; null when nothing is known. */
export function expectedSeconds(engine, quality, epochs, device, list) {
  const usual = engine?.qualities?.find((one) => one.name === quality);
  if (!usual) return null;
  const gpu = /^GPU/.test(device) || ((device || "auto") === "auto" && engine.devices.some((one) => /^GPU/.test(one)));
  const learning = (gpu ? usual.gpu_seconds : usual.seconds) / 10;
  const past = gpu ? [] : list.filter((avatar) => avatar.engine === engine.name && avatar.kind === "video" && avatar.seconds_trained > 0
    && avatar.figures?.epochs > 0 && (avatar.figures.quality ?? "fast") === quality);
  // Looking, cutting and trying out take as long as last time, learning as long as it may.
  const rest = past.length ? Math.max(20, past[0].seconds_trained - learning * past[0].figures.epochs) : 60;
  return rest + learning * epochs;
}
