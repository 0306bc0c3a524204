// Asking the server, and knowing when it is away.

/** A failure the server named; `code`, `message`, `hint`, `params` as in docs/http-api.md. */
export class ApiError extends Error {
  constructor({ code = "internal", message = "", hint = "", params = {}, kind = "" } = {}, status = 0) {
    super(message);
    Object.assign(this, { code, hint, params, kind, status });
  }
}

export const unreachable = () => new ApiError({ code: "page.unreachable", message: "The server does not answer." });

let away = false;

/** Tell the page that the server did not answer; it then asks until it does. */
export function lost() {
  if (away) return;
  away = true;
  document.dispatchEvent(new CustomEvent("connection", { detail: { away: true } }));
  knock();
}

function found() {
  if (!away) return;
  away = false;
  document.dispatchEvent(new CustomEvent("connection", { detail: { away: false } }));
}

async function knock() {
  while (away) {
    await new Promise((resume) => setTimeout(resume, 1500));
    try {
      const answer = await fetch("/api/health", { cache: "no-store" });
      if (answer.status !== 502 && answer.status !== 504) found();
    } catch { /* still away */ }
  }
}

/** Whether the server is away now. */
export const isAway = () => away;

/** Failure of a response body, whatever it is. */
export function failure(status, body) {
  try {
    const told = JSON.parse(body);
    if (told && told.code) return new ApiError(told, status);
    if (told && told.message) return new ApiError({ code: "internal", message: told.message }, status);
  } catch { /* not JSON */ }
  return new ApiError({ code: "page.odd_answer", message: `The server answered ${status}.`, params: { status } }, status);
}

/** The answer as JSON (null for 204).  Throws `ApiError`. */
export async function api(path, { method = "GET", json, body, signal } = {}) {
  let answer, text;
  try {
    answer = await fetch(path, {
      method, signal, body: json === undefined ? body : JSON.stringify(json), cache: "no-store",
      headers: json === undefined ? { Accept: "application/json" }
        : { Accept: "application/json", "Content-Type": "application/json" },
    });
    text = await answer.text();
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    lost();
    throw unreachable();
  }
  found();
  if (!answer.ok) throw failure(answer.status, text);
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    throw failure(answer.status, text);
  }
}

export const get = (path, options) => api(path, options);
export const post = (path, json, options) => api(path, { method: "POST", json, ...options });
export const patch = (path, json) => api(path, { method: "PATCH", json });
export const remove = (path) => api(path, { method: "DELETE" });
