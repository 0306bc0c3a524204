// Recording a consent for photos: who agrees, to which sentence, until when, and what proves it.
import { api, post } from "./api.js";
import { button, fill, h } from "./dom.js";
import { number } from "./format.js";
import { bind, currentLanguage, t } from "./i18n.js";
import { notice } from "./problems.js";

const PROOFS = ".pdf,image/*,audio/*,video/*";
const megabytes = (told) => number(told.proof_limit / 2 ** 20);
let made = 0;

/** A field with its label and help. */
function field(key, input, help = null) {
  return h("div", { class: "field" }, h("label", { for: input.id, t: key }), input, help);
}

/** Where a proof is chosen; `proofField(told).file()` is the file or undefined. */
function proofField(told, id, changed) {
  const input = h("input", { class: "input file-input", type: "file", id, accept: PROOFS, on: { change: changed } });
  const words = h("span", { class: "help", live: () => t("swap.proof_help", { limit: `${megabytes(told)}\u00a0MB` }) });
  return { element: h("div", { class: "field" }, h("label", { for: id, t: told.proof_needed ? "swap.proof" : "swap.proof_optional" }), input, words), file: () => input.files[0] };
}

/** Send the file that proves a consent; the consent as it is then. */
async function prove(consent, file, told) {
  if (file.size > told.proof_limit) throw { code: "page.proof_large", params: { limit: megabytes(told) } };
  return api(`/api/consents/${consent.id}/proof`, { method: "POST", body: file });
}

/** The proof of a consent that has none yet; `done(consent)` when it came. */
export function proofStep(consent, told, done) {
  const id = `proof-${made += 1}`, problem = h("div", { "aria-live": "polite" });
  const proof = proofField(told, id, () => { sent.disabled = !proof.file(); });
  const sent = button({ t: "swap.send_proof", icon: "upload", class: "primary", disabled: true, on: async () => {
    sent.disabled = true;
    fill(problem);
    try { done(await prove(consent, proof.file(), told)); } catch (error) { fill(problem, notice(error, { number: "E09" })); sent.disabled = false; }
  } });
  return h("div", { class: "card stack consent-step" },
    h("p", { class: "small", live: () => t("swap.proof_lacks", { person: consent.person }) }), proof.element, h("div", { class: "row" }, sent), problem);
}

/** The whole consent for `photos` (ids of uploads); `done(consent)` when it is recorded and proved. */
export function consentForm(photos, told, done) {
  const id = `consent-${made += 1}`;
  const person = h("input", { class: "input", id: `${id}-person`, maxlength: "120", autocomplete: "off" });
  const giver = h("input", { class: "input", id: `${id}-giver`, maxlength: "120", autocomplete: "name" });
  const expires = h("input", { class: "input", id: `${id}-expires`, type: "date", min: new Date().toISOString().slice(0, 10) });
  const agree = h("input", { type: "checkbox", id: `${id}-agree` });
  const sentence = () => told.sentences.swap[currentLanguage()] ?? told.sentences.swap.en;
  const words = h("span", { class: "small", live: sentence });
  const problem = h("div", { "aria-live": "polite" });
  const proof = proofField(told, `${id}-proof`, () => ready());
  const give = button({ t: "swap.record", icon: "check", class: "primary", id: "consent-give", on: record });
  let kept = null, busy = false;

  const ready = () => { give.disabled = busy || !person.value.trim() || !agree.checked || (told.proof_needed && !proof.file()); };
  for (const input of [person, agree]) input.addEventListener("input", ready);

  async function record() {
    busy = true;
    ready();
    fill(problem);
    try {
      kept ??= await post("/api/consents", { person: person.value.trim(), giver: giver.value.trim(), scope: "swap", photos, consent: agree.checked, sentence: sentence(),
        expires: expires.value ? new Date(`${expires.value}T23:59:59`).toISOString() : null });
      done(proof.file() ? await prove(kept, proof.file(), told) : kept);
    } catch (error) {
      // What was recorded stays recorded; only the proof is asked for again.
      for (const input of [person, giver, expires, agree]) input.disabled = Boolean(kept);
      fill(problem, notice(error, { number: error.status === 403 || kept ? "E09" : "" }));
      problem.scrollIntoView({ block: "nearest" });
    }
    busy = false;
    ready();
  }

  ready();
  bind(words, sentence);
  return h("div", { class: "card stack consent-step" },
    h("div", {}, h("h3", { t: "swap.consent_title" }), h("p", { class: "small soft", t: "swap.consent_why" })),
    h("div", { class: "pair" }, field("swap.person", person), field("swap.giver", giver, h("span", { class: "help", t: "swap.giver_help" }))),
    h("label", { for: agree.id, class: "tick" }, agree, words), proof.element,
    h("details", { class: "more" }, h("summary", { t: "swap.expires_more" }), h("div", { class: "inside" }, field("swap.expires", expires, h("span", { class: "help", t: "swap.expires_help" })))),
    h("div", { class: "row" }, give), problem);
}
