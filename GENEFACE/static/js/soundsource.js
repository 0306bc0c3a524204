// A sound to be spoken by the face: a file, or a recording made here.
import { button, fill, h } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";
import { meter } from "./meter.js";
import { notice } from "./problems.js";
import { Recorder } from "./recorder.js";
import { dropZone, fileCard, forget, send } from "./uploader.js";

/** Inside `element`; `changed(upload | null)` when there is a sound to use, or none. */
export function soundSource(element, changed) {
  const levels = meter();
  const clockText = h("span", { class: "numbers" });
  const recorder = new Recorder((level, seconds) => { levels.level(level); clockText.textContent = clock(seconds); });
  const problem = h("div", { "aria-live": "polite" });

  function offer() {
    changed(null);
    fill(problem);
    const zone = dropZone({ titleKey: "create.drop_audio", helpKey: "create.drop_audio_help", iconName: "wave", accept: "audio/*,video/*,.wav,.mp3,.m4a,.ogg,.flac,.webm", take, low: true });
    fill(element, zone, button({ t: "create.record", icon: "mic", class: "wide", on: record }), problem);
  }

  async function record() {
    fill(problem);
    try { await recorder.start(); } catch (error) { fill(problem, notice(error)); return; }
    levels.clear();
    fill(element, h("div", { class: "card stack" },
      h("div", { class: "row" }, h("span", { class: "chip bad" }, h("span", { t: "create.recording" })), h("span", { class: "push" }, clockText)),
      levels.element,
      h("div", { class: "row" }, button({ t: "create.record_done", icon: "check", class: "primary", on: finish }),
        button({ t: "word.cancel", class: "plain", "data-cancel": "", on: () => { recorder.drop(); offer(); } }))));
  }

  async function finish() {
    const blob = await recorder.stop();
    if (!blob) { offer(); return; }
    const ending = blob.type.includes("mp4") ? "mp4" : blob.type.includes("ogg") ? "ogg" : "webm";
    take(new File([blob], `${t("create.recording_name")}.${ending}`, { type: blob.type }));
  }

  async function take(file) {
    const abort = new AbortController();
    let upload = null;
    const away = () => { abort.abort(); if (upload) forget(upload); offer(); };
    const card = fileCard(file, away);
    fill(element, card.element);
    card.progress(0, file.size || 1, 0);
    try {
      upload = await send(file, "audio", (sent, total, speed) => (sent < total ? card.progress(sent, total, speed) : card.wait("upload.reading")), abort.signal);
      card.done(() => clock(upload.probe?.seconds ?? 0));
      card.replaceTools(button({ t: "train.another", class: "push", on: away }));
      card.add(h("audio", { controls: true, src: upload.url, preload: "metadata", style: "width:100%" }));
      changed(upload);
    } catch (error) {
      if (error.name === "AbortError") return;
      card.done(() => t("upload.not_used"));
      card.replaceTools(button({ t: "train.another", class: "push", on: away }));
      card.add(notice(error));
    }
  }
  offer();
}
