// One button to talk: hold it, or press once to start and once to end; the space bar does the same.
const TAP = 320;

const typing = (target) => target.closest?.("input, textarea, select, summary, a, button:not(.mic), [contenteditable], dialog[open], video");

/** Whether a key pressed at `target` belongs to it and not to the page. */
export const occupied = (target) => Boolean(typing(target));

/** `begin()` and `end()` at the right moments, while `enabled()`; `running()` tells whether it records now. */
export function holdToTalk(button, { enabled, begin, end, running }) {
  let pressed = 0, toggled = false;
  const down = () => {
    if (running()) { toggled = true; return; }
    pressed = performance.now();
    toggled = false;
    begin();
  };
  const up = () => {
    if (!pressed && !toggled) return;
    const held = performance.now() - pressed;
    if (toggled || held > TAP) end();
    pressed = 0;
    toggled = false;
  };
  button.addEventListener("pointerdown", (event) => {
    if (event.button || button.disabled || !enabled()) return;
    button.setPointerCapture(event.pointerId);
    down();
  });
  button.addEventListener("pointerup", up);
  button.addEventListener("pointercancel", up);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => { if (enabled() && event.detail === 0 && !spaceDown) { if (running()) end(); else begin(); } });
  let spaceDown = false;
  document.addEventListener("keydown", (event) => {
    if (!enabled() || event.code !== "Space" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    event.preventDefault();
    if (event.repeat || spaceDown || button.disabled) return;
    spaceDown = true;
    down();
  });
  document.addEventListener("keyup", (event) => {
    if (event.code !== "Space" || !spaceDown) return;
    event.preventDefault();
    spaceDown = false;
    up();
  });
}
