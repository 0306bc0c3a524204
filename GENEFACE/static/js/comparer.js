// Before and after, one over the other: a line that is moved by finger, mouse or arrow keys.
import { button, h, icon } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./i18n.js";

const FAR = 0.15, STEP = 5, PULL = 0.4;

/** The figure around two layers of the same size; `after` gives the shape. */
function slider(before, after) {
  const range = h("input", { class: "compare-range", type: "range", min: "0", max: "100", value: "50", step: "1", label: "swap.slider" });
  const line = h("span", { class: "compare-line", "aria-hidden": "true" }, h("span", {}, icon("swap")));
  const figure = h("div", { class: "compare" }, after, before, h("span", { class: "compare-word", t: "swap.before" }), h("span", { class: "compare-word right", t: "swap.after" }), line, range);
  const show = () => {
    figure.style.setProperty("--cut", `${range.value}%`);
    range.setAttribute("aria-valuetext", t("swap.slider_value", { n: range.value }));
  };
  const to = (event) => {
    const { left, width } = figure.getBoundingClientRect();
    range.value = String(Math.round(Math.min(1, Math.max(0, (event.clientX - left) / width)) * 100));
    show();
  };
  figure.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    figure.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true });
    to(event);
  });
  figure.addEventListener("pointermove", (event) => { if (figure.hasPointerCapture(event.pointerId)) to(event); });
  range.addEventListener("input", show);
  range.addEventListener("keydown", (event) => {
    const step = { PageUp: STEP * 2, PageDown: -STEP * 2 }[event.key];
    if (!step) return;
    event.preventDefault();
    range.value = String(Number(range.value) + step);
    show();
  });
  // Without the original there is nothing to compare: the result stays.
  const alone = () => { for (const part of [before, line, range, ...figure.querySelectorAll(".compare-word")]) part.remove(); };
  before.addEventListener("error", alone, { once: true });
  const shape = (width, height) => { if (width && height) figure.style.setProperty("--ratio", width / height); };
  if (!before.getAttribute("src")) alone();
  show();
  return { figure, shape };
}

/** Two pictures. */
export function comparePictures(before, after) {
  const shown = h("img", { class: "compare-after", src: after, alt: t("swap.after") });
  const { figure, shape } = slider(h("img", { class: "compare-before", src: before ?? "", alt: t("swap.before"), draggable: false }), shown);
  shown.draggable = false;
  shown.addEventListener("load", () => shape(shown.naturalWidth, shown.naturalHeight));
  return figure;
}

/** Two videos that are played in step; the sound is the result's. */
export function compareVideos(before, after) {
  const own = { playsInline: true, preload: "auto", tabIndex: -1 };
  const lead = h("video", { class: "compare-after", src: after, ...own }), follower = h("video", { class: "compare-before", src: before ?? "", ...own });
  follower.muted = true;
  const { figure, shape } = slider(follower, lead);
  const mark = icon("play");
  const play = button({ class: "square", label: "stage.play", on: () => (lead.paused ? lead.play().catch(() => {}) : lead.pause()) });
  play.append(mark);
  const seek = h("input", { class: "range", type: "range", min: "0", max: "1", step: "0.01", value: "0", label: "swap.seek" });
  const time = h("span", { class: "small soft numbers" });
  const following = () => follower.isConnected && follower.readyState > 0;
  const tick = () => {
    if (!lead.isConnected) { lead.pause(); follower.pause(); return; }
    seek.value = String(lead.currentTime);
    time.textContent = `${clock(lead.currentTime)} / ${clock(lead.duration || 0)}`;
    if (following()) {
      const late = lead.currentTime - follower.currentTime;
      if (Math.abs(late) > FAR && !follower.seeking) follower.currentTime = lead.currentTime;
      follower.playbackRate = lead.paused ? 1 : Math.min(1.5, Math.max(0.5, 1 + late / PULL));
    }
    if (!lead.paused) requestAnimationFrame(tick);
  };
  const turned = () => {
    mark.firstChild.setAttribute("href", `/static/icons/icons.svg#${lead.paused ? "play" : "pause"}`);
    if (following()) { if (lead.paused) { follower.pause(); follower.currentTime = lead.currentTime; } else follower.play().catch(() => {}); }
    tick();
  };
  for (const event of ["play", "pause", "ended"]) lead.addEventListener(event, turned);
  lead.addEventListener("loadedmetadata", () => { shape(lead.videoWidth, lead.videoHeight); seek.max = String(lead.duration || 1); tick(); });
  lead.addEventListener("seeked", () => { if (following()) follower.currentTime = lead.currentTime; tick(); });
  seek.addEventListener("input", () => { lead.currentTime = Number(seek.value); });
  return h("div", { class: "stack tight" }, figure, h("div", { class: "compare-controls" }, play, seek, time));
}
