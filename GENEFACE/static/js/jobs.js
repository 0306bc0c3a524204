// Jobs: asked for once, watched live, across reloads and restarts.
import { failure, get, lost, post } from "./api.js";

export const ended = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);

/** Start a job of a kind; the job. */
export const start = (kind, request) => post(`/api/jobs/${kind}`, request);
export const cancel = (id) => post(`/api/jobs/${id}/cancel`);
export const retry = (id) => post(`/api/jobs/${id}/retry`);

/** Newest jobs of some kinds. */
export async function recent(kinds, limit = 20) {
  const { jobs } = await get(`/api/jobs?limit=${limit}`);
  return jobs.filter((job) => kinds.includes(job.kind));
}

/**
 * Follow a job until it ends.  `on.job(job)` at every change, `on.log(lines, fresh)`,
 * `on.loss(points, fresh)`, `on.end(job)` once, `on.gone(error)` when there is no such job.
 * A lost connection is taken up again; `fresh` says that what came before is sent anew.
 * Returns a function that stops following.
 */
export function watch(id, on) {
  let source, timer, closed = false, wait = 500, freshLog = true, freshLoss = true, last = null;

  const close = () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
    window.removeEventListener("pagehide", close);
  };
  const finish = (job) => {
    if (closed) return;
    close();
    on.end?.(job);
  };
  const see = (job) => {
    last = job;
    on.job?.(job);
    if (ended(job)) timer = setTimeout(() => finish(job), 400);
  };
  const again = async () => {
    if (closed) return;
    try {
      see(await get(`/api/jobs/${id}`));
      if (!closed && !ended(last)) open();
    } catch (problem) {
      if (problem.status === 404) { close(); on.gone?.(problem); return; }
      wait = Math.min(wait * 1.7, 6000);
      timer = setTimeout(again, wait);
    }
  };
  const open = () => {
    if (closed) return;
    freshLog = freshLoss = true;
    source = new EventSource(`/api/jobs/${id}/events`);
    source.addEventListener("open", () => { wait = 500; });
    source.addEventListener("job", (event) => see(JSON.parse(event.data)));
    source.addEventListener("log", (event) => { on.log?.(JSON.parse(event.data).lines, freshLog); freshLog = false; });
    source.addEventListener("loss", (event) => { on.loss?.(JSON.parse(event.data).points, freshLoss); freshLoss = false; });
    source.addEventListener("end", () => (last && ended(last) ? finish(last) : (source.close(), again())));
    source.addEventListener("error", () => {
      if (closed || (last && ended(last))) return;
      source.close();
      lostSoon();
      timer = setTimeout(again, wait);
    });
  };
  const lostSoon = () => get(`/api/jobs/${id}`).catch((problem) => { if (!problem.status) lost(); });
  window.addEventListener("pagehide", close);
  open();
  return close;
}

/** Follow a check of an upload; resolves with its report, rejects with `ApiError`. */
export function check(upload, progress, signal) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/api/uploads/${upload}/check`);
    signal?.addEventListener("abort", () => { source.close(); reject(new DOMException("", "AbortError")); });
    source.addEventListener("progress", (event) => progress(JSON.parse(event.data)));
    source.addEventListener("done", (event) => { source.close(); resolve(JSON.parse(event.data)); });
    source.addEventListener("error", (event) => {
      if (event.data) { source.close(); reject(failure(422, event.data)); }
      else if (source.readyState === EventSource.CLOSED) get(`/api/uploads/${upload}`).then(() => reject(failure(500, "")), reject);
    });
  });
}
