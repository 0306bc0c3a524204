// "Evaluate" beside a clip or a face: asks, waits, and shows the figures with the way to the report.
import { get } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { figureLine, seenWords } from "./figures.js";
import { percent, when } from "./format.js";
import { t } from "./i18n.js";
import { cancel, ended, start, watch } from "./jobs.js";
import { notice } from "./problems.js";

/** The newest evaluations by what they belong to: `{clips: Map, avatars: Map}` of lists. */
export async function evaluationsBy() {
  const by = { clips: new Map(), avatars: new Map() };
  const put = (map, key, one) => { if (key) map.set(key, [...(map.get(key) ?? []), one]); };
  const { evaluations } = await get("/api/evaluations?limit=500");
  for (const one of evaluations) { put(by.clips, one.clip, one); if (!one.clip) put(by.avatars, one.avatar, one); }
  return by;
}

/** One evaluation on a card: figures and the way to its report. */
export function measuredLine(one) {
  return h("div", { class: "measured numbers" },
    h("p", { class: "face-figures" }, figureLine(one, 3)),
    h("p", { class: "small" }, h("a", { href: one.reports.html, target: "_blank", rel: "noopener", t: "evaluation.report" }),
      h("span", { class: "soft", live: () => ` · ${[t(`evaluation.region_${one.region}`), seenWords(one)].filter(Boolean).join(" · ")}` })));
}

/**
 * A button that measures `request` (`{pred}` or `{avatar}`), and the place where what comes of it is shown.
 * `known` are evaluations there are already, newest first; `done(evaluations)` after a new one.
 */
export function measureButton(request, known = [], done = () => {}) {
  const place = h("div", { "aria-live": "polite" });
  const word = h("span", { t: "evaluation.evaluate" });
  const element = h("button", { type: "button", class: "button measure", on: { click: go } }, icon("evaluation"), word);
  if (known.length) fill(place, measuredLine(known[0]));

  async function go() {
    element.disabled = true;
    try { follow(await start("evaluate", request)); } catch (error) { element.disabled = false; fill(place, notice(error)); }
  }

  function follow(job) {
    const line = h("span", { class: "small soft numbers" });
    const stop = h("button", { type: "button", class: "link", t: "word.cancel", on: { click: () => { stop.disabled = true; cancel(job.id).catch(() => {}); } } });
    fill(place, h("p", { class: "row tight" }, h("span", { class: "spinner soft" }), line, stop));
    watch(job.id, {
      job: (now) => { line.textContent = now.state === "queued" ? t("job.state_queued") : `${t("evaluation.measuring")} ${percent(now.fraction)}`; },
      end: finished,
      gone: (error) => { element.disabled = false; fill(place, notice(error)); },
    });
  }

  async function finished(job) {
    element.disabled = false;
    if (job.state === "failed") { fill(place, notice(job.error, { retry: go })); return; }
    if (!ended(job) || job.state !== "succeeded") { fill(place, known.length ? measuredLine(known[0]) : null); return; }
    try {
      const made = await Promise.all(job.result.evaluations.map(({ id }) => get(`/api/evaluations/${id}`)));
      fill(place, measuredLine(made[0]));
      done(made);
    } catch (error) { fill(place, notice(error)); }
  }
  return { element, place };
}

/** All evaluations of a face in a drawer, newest first, and the way to compare them. */
export function openHistory(avatar, evaluations) {
  const title = h("h2", { id: "history-title", live: () => t("evaluation.history_of", { name: avatar.name }) });
  const close = h("button", { type: "button", class: "button plain square", label: "word.close", on: { click: () => dialog.close() } }, icon("close"));
  const regions = [...new Set(evaluations.map((one) => one.region))].map((region) => [region, evaluations.filter((one) => one.region === region).slice(0, 20)]);
  const comparing = ([region, some]) => (some.length < 2 ? null : h("a", { class: "button", href: `/api/evaluations/compare?ids=${some.map((one) => one.id).join(",")}`, target: "_blank", rel: "noopener",
    live: () => [t("evaluation.compare_all"), regions.length > 1 ? t(`evaluation.region_${region}`) : ""].filter(Boolean).join(" · ") }));
  const entry = (one) => h("li", { class: "card stack tight" },
    h("strong", { live: () => when(one.created) }),
    h("span", { class: "small soft", live: () => (one.facts.epochs ? t("evaluation.epochs", { n: one.facts.epochs }) : "") }), measuredLine(one));
  const dialog = h("dialog", { class: "drawer", "aria-labelledby": "history-title" },
    h("div", { class: "dialog-head" }, title, close),
    h("div", { class: "dialog-body" },
      evaluations.length ? h("ul", { class: "stack" }, evaluations.map(entry)) : h("p", { class: "soft", t: "evaluation.none" }),
      h("div", { class: "row" },
        regions.map(comparing),
        avatar.exam ? h("a", { class: "button primary", href: `/evaluation?avatar=${avatar.id}`, t: "evaluation.again" }) : null)));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  dialog.showModal();
}
