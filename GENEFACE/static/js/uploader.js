// Files in: dropped, chosen or pasted; sent with progress; stopped at a word.
import { failure, lost, remove, unreachable } from "./api.js";
import { button, fill, h, icon } from "./dom.js";
import { duration, percent, size } from "./format.js";
import { bind, t } from "./i18n.js";

/** Send a file's bytes; `on(sent, total, bytesPerSecond)`.  Resolves with the upload. */
export function send(file, kind, on = () => {}, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const begun = performance.now();
    let speed = 0, before = { time: begun, sent: 0 };
    request.open("POST", `/api/uploads?kind=${kind}&name=${encodeURIComponent(file.name || `recording.${kind}`)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const time = performance.now();
      if (time - before.time > 400) {
        const fresh = ((loaded - before.sent) / (time - before.time)) * 1000;
        speed = speed ? speed * 0.6 + fresh * 0.4 : fresh;
        before = { time, sent: loaded };
      }
      on(loaded, total || file.size, speed);
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(failure(request.status, request.responseText));
    });
    request.addEventListener("error", () => { lost(); reject(unreachable()); });
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** Forget an upload; nothing happens if it is gone already. */
export const forget = (upload) => remove(`/api/uploads/${upload.id}`).catch(() => {});

/** The zone that a drop is for: the one under it, else the first that is seen. */
function meant(event) {
  const seen = (zone) => zone.offsetParent !== null;
  return event.target.closest?.(".drop") ?? [...document.querySelectorAll(".drop")].find(seen);
}

/**
 * A place to drop a file on or to choose one.  `take(file)` is called with it,
 * or with each of them where `many` may come.
 * The whole window accepts the drop, so that a near miss does not leave the page.
 */
export function dropZone({ titleKey, helpKey, iconName = "upload", accept, take, low = false, many = false }) {
  const takeAll = (files) => [...files].slice(0, many ? 20 : 1).forEach((file) => take(file));
  const input = h("input", { type: "file", class: "sr", accept, multiple: many, on: { change: () => { takeAll(input.files); input.value = ""; } } });
  const title = h("strong", { t: titleKey });
  const zone = h("label", { class: `drop ${low ? "low" : ""}` }, icon(iconName), title, h("span", { class: "small soft", t: helpKey }), input);
  let depth = 0;
  const over = (yes) => {
    zone.classList.toggle("over", yes);
    bind(title, () => t(yes ? "upload.release" : titleKey));
  };
  const alive = () => zone.isConnected && zone.offsetParent !== null;
  const listeners = {
    dragenter: (event) => { if (alive() && event.dataTransfer?.types.includes("Files")) { depth += 1; over(true); } },
    dragleave: () => { if (depth && (depth -= 1) === 0) over(false); },
    dragover: (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); },
    drop: (event) => {
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      depth = 0;
      if (!alive()) return;
      over(false);
      if (meant(event) === zone) takeAll(event.dataTransfer.files);
    },
  };
  for (const [name, run] of Object.entries(listeners)) window.addEventListener(name, run);
  return zone;
}

/** A card that shows a file being sent; `card.progress(sent, total, speed)`. */
export function fileCard(file, onCancel) {
  const bar = h("i"), line = h("span", { class: "small soft numbers" });
  const track = h("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", label: "upload.sending" }, bar);
  const cancelButton = button({ icon: "close", class: "plain square push", label: "word.cancel", on: onCancel });
  const element = h("div", { class: "card file" },
    h("div", { class: "row", style: "flex-wrap:nowrap" }, icon("file"), h("span", { class: "file-name" }, file.name), cancelButton), track, line);
  return {
    element,
    progress(sent, total, speed) {
      track.classList.remove("wait");
      bar.style.width = percent(sent / total);
      track.setAttribute("aria-valuenow", Math.floor((sent / total) * 100));
      bind(line, () => {
        const parts = [percent(sent / total), t("upload.of", { sent: size(sent), total: size(total) })];
        if (speed) parts.push(t("upload.speed", { speed: size(speed) }));
        if (speed && sent < total) parts.push(t("unit.left", { time: duration((total - sent) / speed) }));
        return parts.join(" · ");
      });
    },
    /** A step without a known end, e.g. the server reading the file. */
    wait(key, fraction = null) {
      track.classList.toggle("wait", fraction === null);
      bar.style.width = fraction === null ? "" : percent(fraction);
      bind(line, () => (fraction === null ? t(key) : `${t(key)} ${percent(fraction)}`));
    },
    done(words) {
      track.remove();
      bind(line, words);
    },
    replaceTools(...tools) { cancelButton.replaceWith(...tools); },
    add(...children) { element.append(...children.filter(Boolean)); },
    clear() { fill(element, element.firstChild); },
  };
}
