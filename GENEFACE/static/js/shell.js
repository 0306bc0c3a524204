// The frame of every page: language, theme, health, banner.
import { $, icon } from "./dom.js";
import { showHealth } from "./health.js";
import { apply, currentLanguage, loadLanguage, setLanguage, t } from "./i18n.js";

const root = document.documentElement;
const other = () => (currentLanguage() === "zh" ? "en" : "zh");
const themes = ["", "light", "dark"];
const pictures = { "": "auto", light: "sun", dark: "moon" };

function showTheme() {
  const theme = root.dataset.theme ?? "";
  const button = $("#theme-button");
  button.replaceChildren(icon(pictures[theme]));
  button.dataset.i18nLabel = `bar.theme_${theme || "auto"}`;
  button.setAttribute("aria-label", t(button.dataset.i18nLabel));
  button.title = t(button.dataset.i18nLabel);
}

$("#theme-button").addEventListener("click", () => {
  const next = themes[(themes.indexOf(root.dataset.theme ?? "") + 1) % themes.length];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
  showTheme();
});

$("#language-button").addEventListener("click", () => setLanguage(other()));

document.addEventListener("connection", ({ detail }) => { $("#banner").hidden = !detail.away; });

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

apply();
showTheme();
showHealth();
setTimeout(() => loadLanguage(other()).catch(() => {}), 1200);
