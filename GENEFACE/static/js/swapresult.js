// What a swap made: compared with what it was, downloaded, explained; and all that was made before.
import { get, remove } from "./api.js";
import { comparePictures, compareVideos } from "./comparer.js";
import { button, fill, h, icon } from "./dom.js";
import { duration, number, when } from "./format.js";
import { sentence, t } from "./i18n.js";
import { notice } from "./problems.js";

const MOST_FRAMES = 40;

/** Download address of a result. */
const download = (result) => (result.clip ? `/api/clips/${result.clip}/download` : result.url);

function fact(key, live) { return h("div", {}, h("dt", { t: key }), h("dd", { live })); }

/** Frames that stayed as they were, each with its reason. */
function skipped(result) {
  const frames = Object.entries(result.skipped ?? {});
  if (!frames.length) return null;
  return h("details", { class: "more", id: "skipped" }, h("summary", { live: () => t("swap.skipped", { n: frames.length }) }),
    h("ul", { class: "inside small" }, frames.slice(0, MOST_FRAMES).map(([frame, why]) => h("li", { live: () => t("swap.skipped_frame", { n: frame, why: sentence(why) }) })),
      frames.length > MOST_FRAMES ? h("li", { live: () => t("swap.skipped_more", { n: frames.length - MOST_FRAMES }) }) : null));
}

/** Fill `element` with a finished job of kind swap. */
export function showResult(element, job) {
  const { result } = job;
  const video = result.kind === "video";
  fill(element, h("div", { class: "found-head" }, h("h2", { id: "found-title" }, job.title), h("span", { class: "small soft", live: () => when(job.ended) })),
    (video ? compareVideos : comparePictures)(result.before, result.url),
    h("div", { class: "row tight" }, h("a", { class: "button primary", href: download(result), download: true }, icon("download"), h("span", { t: "word.download" })),
      video ? h("a", { class: "button", href: `/evaluation?clip=${result.clip}` }, icon("evaluation"), h("span", { t: "evaluation.evaluate" })) : null),
    h("p", { class: "small labelled" }, icon("check"), h("span", {}, h("span", { t: "swap.labelled" }), " ", h("a", { href: "/verify", t: "swap.verify" }))),
    ...(result.notes ?? []).map((note) => h("div", { class: "notice" }, icon("info"), h("span", { live: () => sentence(note) }))),
    h("dl", { class: "facts" }, fact("swap.fact_provider", () => result.provider),
      video ? fact("swap.fact_frames", () => `${number(result.swapped)} / ${number(result.frames)}`) : null,
      video ? fact("swap.fact_fps", () => t("swap.per_second", { n: number(result.fps, 1) })) : null,
      fact("swap.fact_took", () => duration(Math.max(1, result.seconds))),
      video ? fact("swap.fact_sound", () => t(`swap.sound_${result.sound.replace("-", "_")}`)) : null), skipped(result));
  element.hidden = false;
}

/** What a running job told: pictures a second, who computes, times faster than it plays. */
export function showPace(element, job) {
  const { fps, provider, realtime, done, frames } = job.facts ?? {};
  element.hidden = !provider || job.state !== "running";
  if (element.hidden) return;
  fill(element, fact("swap.fact_provider", () => provider),
    fps ? fact("swap.fact_fps", () => t("swap.per_second", { n: number(fps, 1) })) : null,
    frames ? fact("swap.fact_frames", () => `${number(done)} / ${number(frames)}`) : null,
    realtime ? fact("swap.fact_realtime", () => `${number(realtime, 1)}×`) : null);
}

function card(job, open, again) {
  const { result } = job;
  const play = h("button", { type: "button", class: "result-open", on: { click: () => open(job) } });
  const picture = result.kind === "video" ? h("video", { src: `${result.url}#t=0.1`, preload: "metadata", muted: true, playsInline: true, tabIndex: -1 }) : h("img", { src: result.url, alt: "", loading: "lazy" });
  play.append(picture, h("span", { class: "sr", t: "swap.open" }));
  picture.addEventListener("error", () => { play.disabled = true; fill(play, h("span", { class: "small soft", t: "swap.gone" })); links.hidden = true; });
  const links = h("a", { class: "button square", href: download(result), download: true, label: "word.download" }, icon("download"));
  return h("article", { class: "face result-card", "data-job": job.id }, h("div", { class: "face-picture" }, play),
    h("div", { class: "face-body" }, h("p", { class: "clip-text", title: job.title }, job.title), h("p", { class: "small soft", live: () => when(job.ended) })),
    h("div", { class: "face-actions" }, button({ t: "swap.open", on: () => open(job) }), links,
      button({ icon: "trash", class: "square", label: "swap.forget", on: async () => { try { await remove(`/api/jobs/${job.id}`); } finally { again(); } } })));
}

/** All finished swaps, newest first; `open(job)` shows one. */
export async function resultList(element, open) {
  const again = () => resultList(element, open);
  try {
    const { jobs } = await get("/api/jobs?kind=swap&state=succeeded&limit=24");
    if (jobs.length) fill(element, jobs.map((job) => card(job, open, again)));
    else fill(element, h("div", { class: "empty" }, h("p", { t: "swap.results_none" })));
  } catch (error) { fill(element, notice(error, { retry: again })); }
}
