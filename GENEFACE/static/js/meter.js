// A level meter: the last seconds of sound as bars.
import { h } from "./dom.js";

const BARS = 64;

/** `{element, level(0…1), clear()}`: a canvas in the accent colour. */
export function meter() {
  const canvas = h("canvas", { class: "meter", "aria-hidden": "true" });
  const levels = new Array(BARS).fill(0);
  function draw() {
    const scale = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const step = width / BARS;
    levels.forEach((level, n) => {
      const tall = Math.max(2, level * height);
      pen.fillStyle = style.getPropertyValue(level > 0.02 ? "--accent" : "--line");
      pen.beginPath();
      pen.roundRect(n * step, (height - tall) / 2, Math.max(1.5, step - 2), tall, 2);
      pen.fill();
    });
  }
  let last = 0;
  return {
    element: canvas,
    level(value) {
      const now = performance.now();
      if (now - last < 50) return;
      last = now;
      levels.shift();
      levels.push(value);
      draw();
    },
    clear() { levels.fill(0); draw(); },
  };
}
