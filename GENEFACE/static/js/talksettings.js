// The drawer of a conversation: voice, language model, prompt.
import { patch } from "./api.js";
import { $, fill, h } from "./dom.js";
import { health } from "./health.js";
import { bind, sentence, t } from "./i18n.js";
import { explain } from "./problems.js";
import { lendButton } from "./voiceclone.js";
import { voiceSelect, voices } from "./voices.js";

const MODELS = ["", "zhipu", "openai", "offline"];
const KEY = "visage.llm";

/** `{voice(), llm(), show(avatar)}`; `changed(avatar)` when its prompt was saved, `chosen({voice} or {llm})`. */
export function talkSettings({ face, changed, chosen }) {
  const llm = $("#llm"), prompt = $("#prompt"), state = $("#prompt-state");
  fill(llm, MODELS.map((name) => h("option", { value: name, live: () => t(`llm.${name || "automatic"}`) })));
  try { llm.value = localStorage.getItem(KEY) ?? ""; } catch { /* private window */ }
  llm.addEventListener("change", () => { try { localStorage.setItem(KEY, llm.value); } catch { /* private window */ } chosen({ llm: llm.value }); });
  $("#voice").addEventListener("change", () => chosen({ voice: $("#voice").value }));
  const show = voiceSelect($("#voice"), []);
  const list = async () => show((await voices()).voices ?? []);
  list().catch(() => {});
  $("#lend-place").append(lendButton(async (id) => {
    await list();
    if (id) { $("#voice").value = id; $("#voice").dispatchEvent(new Event("change")); }
  }));
  health().then((report) => {
    if (report.llm) bind($("#llm-help"), () => t(report.llm.offline ? "llm.now_offline" : "llm.now", { name: sentence(report.llm.name) }));
  }).catch(() => {});
  $("#save-prompt").addEventListener("click", async () => {
    try {
      changed(await patch(`/api/avatars/${face().id}`, { prompt: prompt.value }));
      bind(state, () => t("talk.prompt_saved"));
    } catch (error) { bind(state, () => explain(error).message); }
  });
  prompt.addEventListener("input", () => bind(state, () => ""));
  return {
    voice: () => $("#voice").value,
    llm: () => llm.value,
    show(avatar) { prompt.value = avatar.prompt ?? ""; bind(state, () => ""); },
  };
}
