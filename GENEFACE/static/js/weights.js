// Files that an engine needs beside its code: which are not here, whose they are, and the command that brings them.
import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { remedyLine } from "./problems.js";

/** The list of an engine's missing weights; it fills itself. */
export function missingWeights(engine) {
  const place = h("div", { class: "stack" });
  get("/api/weights").then(({ weights }) => {
    const lacking = weights.filter((one) => one.engine === engine && !one.ok && !one.optional);
    fill(place, lacking.map(line));
  }, (problem) => fill(place, h("span", { class: "small soft", live: () => t("weights.unreadable", { reason: problem.message }) })));
  return place;
}

function line(weight) {
  const uses = () => weight.needed_for.map((use) => t(use === "train" ? "weights.train" : "weights.infer")).join(t("word.list_separator"));
  const gone = weight.files.filter((file) => !["present", "in the image"].includes(file.state));
  return h("div", { class: "stack tight weight" },
    h("div", { class: "row tight" }, h("strong", { class: "small" }, weight.title),
      weight.licence.signed ? h("span", { class: "chip warn", live: () => t("weights.signed") }) : null,
      h("span", { class: "small soft", live: uses })),
    h("span", { class: "small soft" }, h("span", { live: () => t("weights.licence", { name: weight.licence.name }) }), " · ",
      h("a", { href: weight.page, target: "_blank", rel: "noreferrer", live: () => t("weights.source") })),
    gone.slice(0, 2).map((file) => h("span", { class: "small soft", style: "overflow-wrap:anywhere",
      live: () => t("weights.belongs", { path: file.path }) + (file.detail ? ` (${file.detail})` : "") })),
    weight.fetch ? null : h("span", { class: "small", live: () => t("weights.after") }),
    remedyLine(weight.command));
}
