// What was made: clips that play, download and go.
import { get, remove } from "./api.js";
import { menu } from "./avatarcards.js";
import { confirmed, fill, h, icon } from "./dom.js";
import { clock, size, when, whole } from "./format.js";
import { t } from "./i18n.js";
import { measureButton } from "./measured.js";
import { notice } from "./problems.js";

export const clips = async (limit = 24) => (await get(`/api/clips?limit=${limit}`)).clips;

function card(clip, posters, play, changed, known) {
  const measure = measureButton({ pred: { clip: clip.id } }, known);
  const problem = h("div");
  const erase = async () => {
    if (!await confirmed(() => t("clips.delete_question"), "word.delete")) return;
    try { await remove(`/api/clips/${clip.id}`); changed(); } catch (error) { fill(problem, notice(error)); }
  };
  const picture = posters.get(clip.avatar);
  return h("article", { class: "face" },
    h("div", { class: "face-picture" },
      picture ? h("img", { src: picture, alt: "", loading: "lazy" }) : h("video", { src: `${clip.url}#t=0.1`, preload: "metadata", muted: true, playsInline: true, tabIndex: -1 }),
      h("span", { class: "chip numbers" }, clock(clip.seconds)),
      h("button", { type: "button", class: "stage-play small-play", label: "stage.play", on: { click: () => play(clip) } }, icon("play"))),
    h("div", { class: "face-body" },
      h("p", { class: "clip-text", title: clip.text || "" }, clip.text ? clip.text : h("span", { class: "soft", t: "clips.from_sound" })),
      h("p", { class: "small soft numbers", live: () => [clip.avatar_name, when(clip.created), size(clip.size)].filter(Boolean).map(whole).join(" · ") }), measure.place, problem),
    h("div", { class: "face-actions" },
      measure.element,
      h("a", { class: "button square", href: `/api/clips/${clip.id}/download`, download: true, label: "word.download" }, icon("download")),
      menu([h("a", { href: `/evaluation?clip=${clip.id}` }, icon("evaluation"), h("span", { t: "evaluation.with_truth" })), h("button", { type: "button", class: "danger", on: { click: erase } }, icon("trash"), h("span", { t: "word.delete" }))])));
}

/** Draw the history; `play(clip)` when one is chosen. */
export function clipCards(element, list, faces, play, changed, measured = new Map()) {
  const posters = new Map(faces.map((avatar) => [avatar.id, avatar.poster]));
  if (list.length) fill(element, list.map((clip) => card(clip, posters, play, changed, measured.get(clip.id))));
  else fill(element, h("div", { class: "empty", style: "grid-column:1/-1" }, h("p", { t: "clips.none" })));
}
