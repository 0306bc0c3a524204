// Is a file labelled as made by a machine, by whom, and is it still what was labelled?
import { api } from "./api.js";
import { $, fill, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { notice } from "./problems.js";
import { dropZone } from "./uploader.js";

const found = $("#found"), problem = $("#problem"), nothing = $("#nothing");
const KINDS = { intact: "good", unbound: "good", changed: "bad", forged: "bad", missing: "warn" };
let asked = 0;

fill($("#drop"), dropZone({ titleKey: "verify.drop", helpKey: "verify.drop_help", accept: "video/*,audio/*,image/*", take: look }));

async function look(file) {
  const mine = ++asked;
  fill(problem);
  found.hidden = true;
  nothing.hidden = false;
  fill(nothing, h("span", { class: "spinner" }), h("p", { live: () => t("verify.looking", { name: file.name }) }));
  try {
    const verdict = await api(`/api/verify?name=${encodeURIComponent(file.name.slice(-200))}`, { method: "POST", body: file });
    if (mine === asked) show(verdict);
  } catch (error) {
    if (mine !== asked) return;
    fill(nothing, icon("file", "large"), h("p", { t: "verify.nothing" }));
    fill(problem, notice(error));
  }
}

function show(verdict) {
  const kind = KINDS[verdict.state];
  nothing.hidden = true;
  found.hidden = false;
  const label = verdict.label;
  fill(found,
    h("p", { class: "small soft file-name" }, verdict.name),
    h("div", { class: `notice ${kind}` }, icon(kind === "good" ? "check" : "warn"),
      h("strong", { id: "verdict", live: () => t(`verdict.${verdict.state}`) }), h("span", { live: () => t(`verdict.${verdict.state}_help`) })),
    label ? h("dl", { class: "facts" },
      fact("verify.producer", label.producer),
      fact("verify.number", label.made_as),
      fact("verify.propagator", label.propagator),
      verdict.ours ? fact("verify.sealed", null, () => t("verify.ours")) : null,
      verdict.credential ? fact("verify.c2pa", `${verdict.credential.state} · ${verdict.credential.issuer}`) : null,
      label.sources ? fact("verify.sources", sources(label.sources)) : null) : null);
}

function fact(name, value, live) {
  if (!value && !live) return null;
  return h("div", {}, h("dt", { t: name }), live ? h("dd", { live }) : h("dd", { class: "breaks" }, value));
}

/** Who made what a file was made from, as far as that can be read. */
function sources(text) {
  try {
    return JSON.parse(text).map((one) => `${one.ContentProducer ?? ""} ${one.ProduceID ?? ""}`.trim()).join(", ");
  } catch { return text; }
}
