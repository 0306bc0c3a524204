"use strict";
(() => {
  const root = document.documentElement;
  const kept = {
    get(name) { try { return localStorage.getItem(`visage-report-${name}`); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(`visage-report-${name}`, value); } catch { /* files may not keep anything */ } },
  };

  function show(language) {
    root.dataset.language = language;
    root.lang = language === "zh" ? "zh-CN" : "en";
    for (const named of document.querySelectorAll("[data-en]")) named.setAttribute("aria-label", named.dataset[language]);
    for (const named of document.querySelectorAll("button[data-en]")) named.title = named.dataset[language];
  }
  show(kept.get("language") ?? (/^zh/i.test(navigator.language) ? "zh" : "en"));
  document.getElementById("language").addEventListener("click", () => {
    show(root.dataset.language === "zh" ? "en" : "zh");
    kept.set("language", root.dataset.language);
  });

  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const stored = kept.get("theme");
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    kept.set("theme", root.dataset.theme);
  });

  document.getElementById("print").addEventListener("click", () => print());
  // paper cannot be opened
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of opened) part.open = false; });

  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.classList.add("done");
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
  }

  const number = (value) => (value === null ? "–" : String(value).replace("-", "−"));
  for (const plot of document.querySelectorAll("[data-curve]")) {
    const { last, unit, lines } = JSON.parse(plot.dataset.curve);
    const cursor = plot.querySelector(".cursor"), told = plot.querySelector(".told");
    let at = null;
    const nearest = (x, time) => {
      let low = 0, high = x.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (x[middle] < time) low = middle + 1; else high = middle;
      }
      return low > 0 && time - x[low - 1] < x[low] - time ? low - 1 : low;
    };
    const hide = () => { at = null; cursor.hidden = told.hidden = true; };
    function tell(time) {
      if (!lines.length || !lines[0].x.length) return;
      at = nearest(lines[0].x, Math.max(0, Math.min(last, time)));
      const exact = lines[0].x[at], share = exact / last;
      told.replaceChildren(`${exact.toFixed(2)} s`);
      for (const line of lines) {
        const row = document.createElement("div"), swatch = document.createElement("i");
        swatch.className = `swatch ${line.style}`;
        const value = line.y[nearest(line.x, exact)] ?? null;
        row.append(...(lines.length > 1 ? [swatch, `${(root.dataset.language === "zh" && line.zh) || line.name} `] : []), `${number(value)}${unit && value !== null ? ` ${unit}` : ""}`);
        told.append(row);
      }
      cursor.hidden = told.hidden = false;
      cursor.style.left = `${share * 100}%`;
      const room = plot.clientWidth - told.offsetWidth, wished = share * plot.clientWidth + (share > 0.5 ? -told.offsetWidth - 10 : 10);
      told.style.left = `${Math.max(Math.min(0, room), Math.min(Math.max(0, room), wished))}px`;
    }
    const follow = (event) => {
      const box = plot.getBoundingClientRect();
      tell(((event.clientX - box.left) / box.width) * last);
    };
    plot.addEventListener("pointermove", follow);
    plot.addEventListener("pointerdown", follow);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("focus", () => { if (at === null && plot.matches(":focus-visible")) tell(0); });
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: 10, PageUp: -10 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      const { x } = lines[0];
      tell(x[Math.max(0, Math.min(x.length - 1, (at ?? 0) + step))]);
    });
  }
})();
