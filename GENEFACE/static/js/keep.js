// Taking a conversation away: as a film, as subtitles, as a text.
import { failure } from "./api.js";
import { button, fill, h, icon } from "./dom.js";
import { percent, size } from "./format.js";
import { sentence, t } from "./i18n.js";
import { cancel, start, watch } from "./jobs.js";
import { notice } from "./problems.js";

const KINDS = ["soft", "burnt", "none"];
const WORDS = ["srt", "txt", "json"];

/** A button that opens the ways to keep a conversation; `conversationId()` tells which one, or null. */
export function keepMenu(conversationId) {
  let film = null;
  const opener = button({ t: "keep.button", icon: "download", class: "plain keep-opener", on: open });

  function open() {
    const id = conversationId();
    if (film?.id !== id) film = id ? filmMaker(id) : null;
    const close = h("button", { type: "button", class: "button plain square", label: "word.close", on: { click: () => dialog.close() } }, icon("close"));
    const dialog = h("dialog", { class: "dialog keep", "aria-labelledby": "keep-title" },
      h("div", { class: "dialog-head" }, h("h2", { id: "keep-title", t: "keep.title" }), close),
      h("div", { class: "dialog-body" }, id ? [film.element, texts(id)] : h("p", { class: "soft", t: "keep.nothing" })));
    dialog.addEventListener("close", () => { dialog.remove(); opener.focus(); });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
    dialog.showModal();
  }
  return opener;
}

/** The part that makes a film; it goes on while the dialog is closed. */
function filmMaker(id) {
  const place = h("div", { class: "keep-state", "aria-live": "polite" });
  const picks = KINDS.map((kind, n) => h("label", { class: "keep-pick" },
    h("input", { type: "radio", name: "keep-subtitles", value: kind, checked: n === 0 }), h("span", { t: `keep.${kind}` })));
  const make = button({ t: "keep.make", icon: "create", class: "primary", on: go });
  const element = h("section", { class: "keep-part" }, h("h3", { t: "keep.film" }), h("p", { class: "small soft", t: "keep.help" }),
    h("fieldset", { class: "keep-picks" }, h("legend", { class: "legend", t: "keep.subtitles" }), picks), h("div", { class: "row" }, make), place);

  async function go() {
    make.disabled = true;
    const subtitles = picks.map((pick) => pick.firstElementChild).find((box) => box.checked).value;
    try { follow(await start("film", { conversation: id, subtitles })); } catch (error) { failed(error); }
  }

  function follow(job) {
    const bar = h("i"), line = h("span", { class: "small soft numbers", role: "status" });
    const track = h("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", label: "keep.making" }, bar);
    const stop = button({ t: "word.cancel", icon: "stop", on: () => { stop.disabled = true; cancel(job.id).catch(() => {}); } });
    fill(place, track, h("div", { class: "row" }, line, h("span", { class: "push" }, stop)));
    watch(job.id, {
      job(now) {
        bar.style.width = percent(now.fraction);
        track.setAttribute("aria-valuenow", Math.floor(now.fraction * 100));
        track.classList.toggle("wait", now.state === "queued");
        line.textContent = now.state === "queued" ? t("keep.waiting") : `${t("keep.making")} ${percent(now.fraction)}`;
      },
      end: ended,
      gone: failed,
    });
  }

  function ended(job) {
    make.disabled = false;
    if (job.state === "failed") { failed(job.error); return; }
    if (job.state !== "succeeded") { fill(place); return; }
    const made = job.result;
    fill(place,
      h("a", { class: "button primary keep-film", href: made.url, download: true }, icon("download"), h("span", { live: () => `${t("keep.get")} · ${size(made.size)}` })),
      made.notes.length ? h("ul", { class: "keep-notes" }, made.notes.map((note) => h("li", {}, icon("info"), h("span", { live: () => sentence(note) })))) : null);
    make.classList.remove("primary");
    make.lastElementChild.dataset.i18n = "keep.again";
    make.lastElementChild.textContent = t("keep.again");
  }

  function failed(error) {
    make.disabled = false;
    fill(place, notice(error, { retry: go }));
  }
  return { id, element };
}

/** The part that hands out the words. */
function texts(id) {
  const problem = h("div", { "aria-live": "polite" });
  async function take(ending) {
    fill(problem);
    try {
      const answer = await fetch(`/api/conversations/${id}/transcript.${ending}`, { cache: "no-store" });
      if (!answer.ok) throw failure(answer.status, await answer.text());
      const name = answer.headers.get("Content-Disposition")?.match(/filename="?([^";]+)/)?.[1] ?? `transcript.${ending}`;
      const address = URL.createObjectURL(await answer.blob());
      h("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) { fill(problem, notice(error.code ? error : { code: "page.unreachable" })); }
  }
  return h("section", { class: "keep-part" }, h("h3", { t: "keep.words" }),
    h("div", { class: "row tight" }, WORDS.map((ending) => button({ t: `keep.${ending}`, icon: "text", on: () => take(ending) }))), problem);
}
