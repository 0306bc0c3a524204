// Voices: listed by language, tried before use.
import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { bind, currentLanguage, t, tOr } from "./i18n.js";

const KEY = "visage.voice", LENT = "lent";

/** The answer of /api/voices; an empty list with a reason when the voice server is down. */
export const voices = () => get("/api/voices");

function name(voice) {
  const extra = [voice.driver === "clone" ? t("voice.basic") : "", voice.gender ? tOr(`gender.${voice.gender}`, voice.gender) : "", voice.online ? t("voice.online") : ""].filter(Boolean);
  const own = voice.driver === "clone" ? voice.name.replace(/ \(basic\)$/, "") : voice.name;
  return extra.length ? `${own} (${extra.join(t("word.list_separator"))})` : own;
}

/** Fill a select with voices, by language, lent ones and the page's language first; returns `show(list)` for later. */
export function voiceSelect(select, list) {
  let chosen = "";
  try { chosen = localStorage.getItem(KEY) ?? ""; } catch { /* private window */ }
  const automatic = h("option", { value: "", t: "voice.automatic" });
  const draw = () => {
    const groups = new Map();
    for (const voice of list) {
      const language = voice.driver === "clone" ? LENT : (voice.language || "").split("-")[0];
      groups.set(language, [...(groups.get(language) ?? []), voice]);
    }
    const rank = (language) => (language === LENT ? -1 : language === currentLanguage() ? 0 : ["zh", "en", "cmn"].includes(language) ? 1 : 2);
    const sorted = [...groups].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
    const value = select.value || chosen;
    fill(select, automatic, sorted.map(([language, some]) => h("optgroup", { label: null, "data-language": language },
      some.map((voice) => h("option", { value: voice.id, live: () => name(voice) })))));
    for (const group of select.querySelectorAll("optgroup")) group.setAttribute("label", group.dataset.language === LENT ? t("voice.lent") : tOr(`language.${group.dataset.language}`, group.dataset.language));
    select.value = list.some((voice) => voice.id === value) ? value : "";
  };
  draw();
  document.addEventListener("language", draw);
  select.addEventListener("change", () => { try { localStorage.setItem(KEY, select.value); } catch { /* private window */ } });
  return (next) => { list = next; draw(); };
}

let player = null;

/** Speak a text in a voice, without a face; `state` is where it says what it does. */
export async function tryVoice(request, state) {
  player?.pause();
  bind(state, () => t("voice.making"));
  const speech = await post("/api/voices/preview", request);
  player = new Audio(speech.url);
  bind(state, () => [t("voice.playing", { seconds: Number(speech.seconds).toFixed(1) }), ...(speech.notes ?? [])].join(" · "));
  await player.play();
  await new Promise((resolve) => { player.onended = player.onpause = resolve; });
}
