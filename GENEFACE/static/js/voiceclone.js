// Lending a voice: record or choose, agree, make, try, delete.  A dialog for any page that has a select of voices.
import { get, post, remove } from "./api.js";
import { button, confirmed, fill, h, icon } from "./dom.js";
import { bind, currentLanguage, t } from "./i18n.js";
import { notice } from "./problems.js";
import { soundSource } from "./soundsource.js";
import { forget } from "./uploader.js";
import { tryVoice } from "./voices.js";

const TICK = "display:flex;gap:10px;align-items:flex-start;cursor:pointer";

/** A button that opens the dialog; `changed(id)` when a voice was made (its id) or deleted (""). */
export function lendButton(changed) {
  return button({ t: "lend.title", icon: "plus", class: "plain", id: "lend", on: () => open(changed) });
}

function open(changed) {
  const state = h("p", { class: "small soft", role: "status" }), problem = h("div", { "aria-live": "polite" });
  const name = h("input", { class: "input", id: "lend-name", maxlength: "60", "data-i18n-placeholder": "lend.name_example", autocomplete: "off" });
  name.placeholder = t("lend.name_example");
  const agree = h("input", { type: "checkbox", id: "lend-agree" }), keep = h("input", { type: "checkbox", id: "lend-keep" });
  const source = h("div", { class: "stack" }), list = h("div", { class: "stack tight", id: "lend-list" });
  const track = h("div", { class: "progress wait", role: "progressbar", label: "lend.making", hidden: true }, h("i"));
  const make = button({ t: "lend.make", icon: "check", class: "primary", id: "lend-make", on: lend });
  let sentences = {}, upload = null, busy = false;

  const sentence = () => sentences[currentLanguage()] ?? sentences.en ?? "";
  const ready = () => { make.disabled = busy || !upload || !agree.checked || !name.value.trim(); };
  const changedSound = (next) => { upload = next; ready(); };

  async function lend() {
    busy = true;
    ready();
    fill(problem);
    track.hidden = false;
    bind(state, () => t("lend.making"));
    state.scrollIntoView({ block: "nearest" });
    try {
      const voice = await post("/api/voices/cloned", { upload: upload.id, name: name.value.trim(), consent: agree.checked, sentence: sentence(), keep_recording: keep.checked });
      bind(state, () => t("lend.made", { name: voice.name, pitch: Math.round(voice.pitch), pace: voice.pace.toFixed(1) }));
      upload = null;
      name.value = "";
      agree.checked = keep.checked = false;
      soundSource(source, changedSound);
      await show();
      changed(voice.id);
    } catch (error) {
      bind(state, () => "");
      fill(problem, notice(error));
      if (error.status === 422 && !error.code.endsWith("no_consent")) soundSource(source, changedSound);
    }
    busy = false;
    track.hidden = true;
    ready();
    (problem.firstChild ?? state).scrollIntoView({ block: "nearest" });
  }

  async function show() {
    try {
      const told = await get("/api/voices/cloned");
      sentences = told.sentences;
      fill(list, told.voices.length ? told.voices.map(row) : h("p", { class: "small soft", t: "lend.none" }));
      bind(agreed, sentence);
    } catch (error) { fill(problem, notice(error)); }
  }

  function row(voice) {
    const hear = button({ t: "lend.try", icon: "volume", on: () => listen(voice, hear) });
    return h("div", { class: "row tight", "data-voice": voice.key, style: "flex-wrap:nowrap" },
      h("span", { class: "file-name" }, voice.name), h("span", { class: "chip" }, h("span", { t: "voice.basic" })),
      h("span", { class: "push" }), hear,
      button({ icon: "trash", class: "plain square", label: "word.delete", on: () => drop(voice) }));
  }

  async function listen(voice, hear) {
    hear.disabled = true;
    fill(problem);
    try { await tryVoice({ text: t("voice.sample"), voice: voice.id }, state); } catch (error) { if (error.code) fill(problem, notice(error)); }
    bind(state, () => "");
    hear.disabled = false;
  }

  async function drop(voice) {
    if (!await confirmed(() => t("lend.delete_question", { name: voice.name }), "word.delete")) return;
    try { await remove(`/api/voices/cloned/${voice.key}`); changed(""); } catch (error) { fill(problem, notice(error)); }
    show();
  }

  const agreed = h("span", { class: "small" });
  const dialog = h("dialog", { class: "dialog", id: "lend-dialog", "aria-labelledby": "lend-title" },
    h("div", { class: "dialog-head" }, h("h2", { id: "lend-title", t: "lend.title" }),
      h("button", { type: "button", class: "button plain square", label: "word.close", on: { click: () => dialog.close() } }, icon("close"))),
    h("div", { class: "dialog-body" },
      h("p", { class: "small soft", t: "lend.lead" }), h("p", { class: "small", t: "lend.tip" }), source,
      h("div", { class: "field" }, h("label", { for: "lend-name", t: "lend.name" }), name),
      h("label", { for: "lend-agree", style: TICK }, agree, agreed),
      h("label", { for: "lend-keep", style: TICK }, keep, h("span", { class: "small", t: "lend.keep" })),
      h("div", { class: "row" }, make), track, state, problem,
      h("h3", { class: "small", t: "lend.mine" }), list));
  name.addEventListener("input", ready);
  agree.addEventListener("change", ready);
  dialog.addEventListener("close", () => {
    if (upload && !busy) forget(upload);
    source.querySelector("[data-cancel]")?.click();
    dialog.remove();
  });
  soundSource(source, changedSound);
  document.body.append(dialog);
  dialog.showModal();
  ready();
  show();
}
