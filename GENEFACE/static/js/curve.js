// The loss of a training, on what was learnt and on what was held out.
import { fill, h, svg } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";

const W = 480, H = 168, LEFT = 44, BOTTOM = 22, TOP = 8;

/** `{element, add(points, fresh)}`: points are [step, train, held out | null]. */
export function lossCurve() {
  const points = new Map();
  const plot = svg("svg", { class: "curve", viewBox: `0 0 ${W} ${H}`, role: "img" });
  const element = h("div", { class: "stack tight", hidden: true },
    h("div", { class: "row" }, h("h3", { class: "small", t: "job.curve" }),
      h("div", { class: "key push" }, h("span", {}, h("i"), h("span", { t: "job.curve_train" })), h("span", { class: "held" }, h("i"), h("span", { t: "job.curve_held" })))),
    plot);

  function draw() {
    const rows = [...points.values()].sort((a, b) => a[0] - b[0]);
    const values = rows.flatMap((row) => row.slice(1)).filter((value) => Number.isFinite(value) && value > 0);
    element.hidden = rows.length < 2 || !values.length;
    if (element.hidden) return;
    const low = Math.log10(Math.min(...values)), high = Math.log10(Math.max(...values));
    const first = rows[0][0], last = rows.at(-1)[0];
    const room = Math.max(high - low, 0.05);
    const x = (step) => LEFT + ((step - first) / Math.max(1, last - first)) * (W - LEFT - 4);
    const y = (value) => TOP + ((high - Math.log10(value)) / room) * (H - TOP - BOTTOM);
    const line = (column) => rows.filter((row) => Number.isFinite(row[column]) && row[column] > 0)
      .map((row, n) => `${n ? "L" : "M"}${x(row[0]).toFixed(1)} ${y(row[column]).toFixed(1)}`).join("");
    const grid = [0, 0.5, 1].map((share) => {
      const value = 10 ** (high - share * room), at = TOP + share * (H - TOP - BOTTOM);
      return [svg("line", { class: "grid", x1: LEFT, x2: W, y1: at, y2: at }), label(0, at + 4, value.toPrecision(2))];
    }).flat();
    fill(plot, ...grid, label(LEFT, H - 4, number(first)), label(W, H - 4, t("job.curve_steps", { n: number(last) }), "end"),
      svg("path", { class: "train", d: line(1) }), svg("path", { class: "held", d: line(2) }));
    const held = rows.filter((row) => Number.isFinite(row[2])).at(-1);
    plot.setAttribute("aria-label", t("job.curve_words", { train: rows.at(-1)[1]?.toPrecision(3) ?? "–", held: held ? held[2].toPrecision(3) : "–" }));
  }

  function label(x, y, words, anchor = "start") {
    const text = svg("text", { x, y, "text-anchor": anchor });
    text.textContent = words;
    return text;
  }

  document.addEventListener("language", draw);
  return {
    element,
    add(more, fresh) {
      if (fresh) points.clear();
      for (const point of more) points.set(point[0], point);
      draw();
    },
  };
}
