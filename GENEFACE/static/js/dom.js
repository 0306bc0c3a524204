// Building and finding elements.
import { bind, t } from "./i18n.js";

export const $ = (selector, root = document) => root.querySelector(selector);

const SVG = "http://www.w3.org/2000/svg";

/** One of our icons, drawn in the colour of the text around it. */
export function icon(name, className = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${className}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** An SVG element with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * An element.  `t` names its words, `live` computes them (again whenever the
 * language changes), `label` names its accessible name; `on` holds listeners.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else if (name === "t") { element.dataset.i18n = value; element.textContent = t(value); }
    else if (name === "live") bind(element, value);
    else if (name === "label") {
      element.dataset.i18nLabel = value;
      element.setAttribute("aria-label", t(value));
      element.title = t(value);
    } else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put other children in the place of the present ones. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
}

/** A button with an icon and words. */
export function button({ t: key, icon: name, class: className = "", label, on, ...rest }) {
  return h("button", { type: "button", class: `button ${className}`, label, on: { click: on }, ...rest },
    name ? icon(name) : null, key ? h("span", { t: key }) : null);
}

/** A button that copies a text and says so. */
export function copyButton(text) {
  const word = h("span", { t: "word.copy" });
  const element = h("button", { type: "button", class: "button", on: { click: copy } }, icon("copy"), word);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = h("textarea", { class: "sr" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    bind(word, () => t("word.copied"));
    setTimeout(() => bind(word, () => t("word.copy")), 1600);
  }
  return element;
}

/** Ask before something that cannot be undone. */
export function confirmed(question, action) {
  return new Promise((resolve) => {
    const title = h("h2", { id: "confirm-title", live: question });
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "confirm-title" },
      h("div", { class: "dialog-body" }, title,
        h("div", { class: "row" },
          h("button", { type: "button", class: "button push", t: "word.cancel", on: { click: () => dialog.close("") } }),
          h("button", { type: "button", class: "button danger", t: action, on: { click: () => dialog.close("yes") } }))));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
