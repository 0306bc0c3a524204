// The words of the page in two languages, changed without a reload.
const root = document.documentElement;
const loaded = new Map([[root.dataset.language, JSON.parse(document.getElementById("words").textContent)]]);
const computed = new WeakMap();
let language = root.dataset.language;

/** "zh" or "en". */
export const currentLanguage = () => language;

/** Fill `{name}` and `{seconds:.1f}` from params; null when one is missing. */
export function fillTemplate(template, params = {}) {
  let whole = true;
  const text = template.replace(/\{(\w+)(?:![rs])?(?::[^}]*?(?:\.(\d+))?[a-z%,]*)?\}/g, (_, name, digits) => {
    const value = params[name];
    if (value === undefined || value === null) { whole = false; return ""; }
    return typeof value === "number" && digits !== undefined ? value.toFixed(Number(digits)) : String(value);
  });
  return whole ? text : null;
}

/** The words of a key; the key itself when there are none. */
export function t(key, params = {}) {
  const template = loaded.get(language)[key];
  return template === undefined ? key : fillTemplate(template, params) ?? template;
}

/** The words of a key, or a fallback when there are none. */
export function tOr(key, fallback) {
  return loaded.get(language)[key] ?? fallback;
}

/** Words for an error code: `{message, hint}` templates, or undefined. */
export const errorWords = (code) => loaded.get(language).errors[code];

/** Sentences a server says in English, in the reader's language where it is known. */
export function sentence(text) {
  if (!text) return "";
  const known = loaded.get(language).sentences ?? {};
  if (known[text]) return known[text];
  for (const [english, own] of Object.entries(known)) {
    if (!english.includes("{")) continue;
    const names = [];
    const pattern = english.replace(/[.*+?^$()|[\]\\]/g, "\\$&")
      .replace(/\{(\w+)[^}]*\}/g, (_, name) => { names.push(name); return "(.+?)"; });
    const found = text.match(new RegExp(`^${pattern}$`, "s"));
    if (found) return fillTemplate(own, Object.fromEntries(names.map((name, n) => [name, found[n + 1]]))) ?? text;
  }
  return text;
}

/** Let an element show what `compute` returns, now and in every language. */
export function bind(element, compute) {
  delete element.dataset.i18n;
  element.dataset.live = "";
  computed.set(element, compute);
  const text = compute();
  if (element.textContent !== text) element.textContent = text;
}

/** Write every word below `part` again. */
export function apply(part = document) {
  for (const element of part.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
  for (const element of part.querySelectorAll("[data-live]")) element.textContent = computed.get(element)?.() ?? "";
  for (const element of part.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.dataset.i18nLabel));
    if (element.matches("button, a")) element.title = t(element.dataset.i18nLabel);
  }
  for (const element of part.querySelectorAll("[data-i18n-placeholder]")) element.placeholder = t(element.dataset.i18nPlaceholder);
  for (const element of part.querySelectorAll("[data-i18n-alt]")) element.alt = t(element.dataset.i18nAlt);
}

/** Fetch the other language ahead of need, so that switching works while the server is away. */
export async function loadLanguage(name) {
  if (!loaded.has(name)) loaded.set(name, await (await fetch(`/static/i18n/${name}.json`)).json());
}

/** Change the language of the page, at once. */
export async function setLanguage(name) {
  await loadLanguage(name);
  language = name;
  root.dataset.language = name;
  root.lang = name === "zh" ? "zh-CN" : "en";
  document.cookie = `lang=${name}; path=/; max-age=31536000; samesite=lax`;
  document.title = `${t(`${root.dataset.page}.tab`)} · Visage`;
  apply();
  document.dispatchEvent(new CustomEvent("language"));
}
