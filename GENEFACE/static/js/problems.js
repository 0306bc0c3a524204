// What went wrong, why, and how it is mended.
import { button, copyButton, fill, h, icon } from "./dom.js";
import { errorWords, fillTemplate, sentence } from "./i18n.js";

/** `{message, hint}` of a failure in the reader's language. */
export function explain(problem) {
  const words = errorWords(problem.code) ?? {};
  const own = (template) => (template ? fillTemplate(template, problem.params ?? {}) : null);
  const message = own(words.message);
  if (message === null) return { message: sentence(problem.message) || problem.code, hint: problem.hint ?? "" };
  return { message, hint: own(words.hint) ?? problem.hint ?? "" };
}

/** The command inside a hint, if there is one: what a person would copy. */
function command(hint) {
  const quoted = hint.match(/`([^`]+)`/);
  if (quoted) return quoted[1];
  const typed = hint.match(/(?:^|[:\uff1a]\s*)((?:sudo |apt|pip|python|docker|GENEFACE\/|VISAGE_\w+=|ollama |export )[^\u3002]*?)\.?$/);
  return typed ? typed[1] : "";
}

/** A notice: cause (after its `number`, if it has one), remedy with a copy button, and what can be done now. */
export function notice(problem, { kind = "bad", retry, actions = [], number = "" } = {}) {
  const hint = explain(problem).hint || problem.hint || "";
  const remedy = command(hint);
  const choices = [
    retry ? button({ t: "word.retry", icon: "retry", on: retry }) : null,
    remedy ? copyButton(remedy) : null,
    ...actions,
  ].filter(Boolean);
  return h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "status" },
    icon(kind === "bad" || kind === "warn" ? "warn" : "info"),
    h("strong", { live: () => (number ? `${number} · ` : "") + explain(problem).message }),
    hint ? h("span", { live: () => explain(problem).hint.replaceAll("`", "") }) : null,
    choices.length ? h("div", { class: "row" }, choices) : null);
}

/** Put a notice where the reader sees it. */
export function showNotice(place, problem, options) {
  fill(place, notice(problem, options));
  place.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

/** A line of the doctor that is not met, with the command that mends it. */
export function remedyLine(text) {
  return h("div", { class: "remedy" }, h("code", { live: () => sentence(text) }), copyButton(command(text) || text));
}
