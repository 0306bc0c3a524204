// One job, in full: stages with ticks, percent, time left, loss curve, log, cancel, try again.
import { lossCurve } from "./curve.js";
import { button, fill, h, icon } from "./dom.js";
import { duration, left, offsetWords, percent } from "./format.js";
import { bind, sentence, t, tOr } from "./i18n.js";
import { cancel, ended, retry, watch } from "./jobs.js";
import { notice } from "./problems.js";
import { stageWords } from "./stage.js";

const STAGES = {
  train: ["check", "track", "listen", "learn", "finish"],
  photo: ["check", "build"],
  generate: ["speak", "move", "render", "verify"],
  chat: ["hear", "think", "speak", "move", "render", "verify"],
  evaluate: ["prepare", "measure", "report"],
  film: ["script", "film", "verify"],
  swap: ["swap", "encode", "verify"],
};

/**
 * Show a job inside `element` until it ends.  `on.preview(url)` with every new
 * preview picture, `on.change(job)`, `on.end(job)`, `on.retry(job)` with the new job;
 * `on.number(error)` says what stands before a failure.
 * Returns a function that takes the panel away.
 */
export function showJob(element, job, on = {}) {
  const title = h("h2", { style: "overflow-wrap:anywhere" }, job.title);
  const state = h("span", { class: "chip" });
  const shown = h("span", { class: "job-percent" }), remaining = h("span", { class: "soft numbers", role: "status" });
  const bar = h("i");
  const track = h("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", label: "train.progress" }, bar);
  const steps = h("ol", { class: "steps" });
  const curve = lossCurve();
  const log = h("pre", { class: "log", tabIndex: 0 });
  const drawer = h("details", { class: "more" }, h("summary", { t: "job.log" }), h("div", { class: "inside" }, log));
  const tools = h("div", { class: "row" });
  const problem = h("div", { "aria-live": "polite" });
  let preview = null, lines = 0, current = job;

  fill(element, h("div", { class: "job-top" }, h("div", { class: "row" }, title, h("span", { class: "push" }, state)),
    h("div", { class: "row", style: "align-items:baseline" }, shown, remaining), track), problem, steps, curve.element, drawer, tools);
  element.hidden = false;

  const stopWatching = watch(job.id, {
    job: see,
    loss: (points, fresh) => curve.add(points, fresh),
    log(more, fresh) {
      if (fresh) { log.textContent = ""; lines = 0; }
      const low = log.scrollHeight - log.scrollTop - log.clientHeight < 32;
      log.append(...more.map((line) => `${line}\n`));
      lines += more.length;
      while (lines > 2000 && log.firstChild) { log.firstChild.remove(); lines -= 1; }
      if (low) log.scrollTop = log.scrollHeight;
    },
    end: (last) => on.end?.(last),
    gone: (error) => fill(problem, notice(error)),
  });
  see(job);

  function see(now) {
    current = now;
    on.change?.(now);
    const running = now.state === "running" && !now.cancelling;
    const chips = { succeeded: "good", failed: "bad", cancelled: "warn" };
    state.className = `chip ${chips[now.state] ?? ""}`;
    bind(state, () => t(now.cancelling && !ended(now) ? "job.cancelling" : `job.state_${now.state}`));
    bind(shown, () => (now.state === "queued" ? "–" : percent(now.state === "succeeded" ? 1 : now.fraction)));
    bind(remaining, () => {
      if (now.state === "succeeded") return now.started && now.ended ? t("job.took", { time: duration((new Date(now.ended) - new Date(now.started)) / 1000) }) : "";
      if (ended(now)) return "";
      return running && now.eta !== null ? left(now.eta) : stageWords(now);
    });
    bar.style.width = percent(now.state === "succeeded" ? 1 : now.fraction);
    track.setAttribute("aria-valuenow", Math.floor(now.fraction * 100));
    track.classList.toggle("wait", now.state === "queued");
    drawSteps(now);
    if (now.facts?.preview && now.facts.preview !== preview) {
      preview = now.facts.preview;
      on.preview?.(`/api/jobs/${now.id}/preview.jpg?n=${encodeURIComponent(preview)}`);
    }
    fill(tools, ended(now) ? null : button({ t: "job.cancel", icon: "stop", disabled: Boolean(now.cancelling), on: stop }),
      now.gpu === null || now.gpu === undefined ? null : h("span", { class: "chip", live: () => t("job.on_gpu", { gpu: `GPU${now.gpu}` }) }),
      Number.isFinite(now.facts?.offset_ms) ? h("span", { class: "small soft", live: () => offsetWords(now.facts.offset_ms) }) : null,
      now.attempt > 1 ? h("span", { class: "small soft", live: () => t("job.attempt", { n: now.attempt }) }) : null);
    if (now.state === "failed") failed(now);
    else if (now.state === "succeeded" && now.kind === "train") fill(problem, (now.result?.notes ?? []).map((note) => notice({ message: note }, { kind: "warn" })));
    else if (now.state === "cancelled") fill(problem, notice({ code: "page.job_cancelled" }, { kind: "info", retry: again }));
  }

  function drawSteps(now) {
    const names = [...STAGES[now.kind] ?? []];
    if (now.stage && !names.includes(now.stage)) names.splice(now.kind === "evaluate" ? 1 : names.length, 0, now.stage);
    const at = now.state === "succeeded" ? names.length : names.indexOf(now.stage);
    fill(steps, names.map((name, n) => h("li", {
      class: n < at ? "done" : n === at && now.state === "running" ? "now" : "",
      "aria-current": n === at && now.state === "running" ? "step" : null,
    }, h("i", {}, icon("check")), h("span", { live: () => tOr(`stage_${now.kind}.${name}`, tOr(`stage.${name}`, name)) }),
    n === at && now.message ? h("span", { class: "soft small push", style: "font-weight:400;text-align:right", live: () => sentence(now.message) }) : null)));
  }

  function failed(now) {
    const error = now.error ?? { code: "internal", message: now.message };
    const showLog = button({ t: "job.show_log", icon: "text", on: () => { drawer.open = true; log.focus(); } });
    fill(problem, notice(error, { retry: again, actions: [showLog], number: on.number?.(error) }));
  }

  async function stop() {
    see({ ...current, cancelling: true });
    try { await cancel(job.id); } catch (error) { fill(problem, notice(error)); }
  }

  async function again() {
    try {
      const fresh = await retry(job.id);
      stopWatching();
      on.retry?.(fresh);
    } catch (error) { fill(problem, notice(error)); }
  }

  return () => { stopWatching(); element.hidden = true; fill(element); };
}
