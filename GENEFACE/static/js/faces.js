// Choosing a face: a strip of portraits, remembered between pages.
import { get } from "./api.js";
import { fill, h } from "./dom.js";

const KEY = "visage.avatar";

/** All avatars. */
export const avatars = async () => (await get("/api/avatars")).avatars;

/** Remember a choice for the other pages. */
export const remember = (id) => { try { localStorage.setItem(KEY, id); } catch { /* private window */ } };

/** The avatar of the address (`?avatar=`), the last one used, the first own one, or the built-in one. */
export function preferred(list) {
  let last = null;
  try { last = localStorage.getItem(KEY); } catch { /* private window */ }
  const asked = new URLSearchParams(location.search).get("avatar");
  return list.find((avatar) => avatar.id === asked) ?? list.find((avatar) => avatar.id === last)
    ?? list.find((avatar) => !avatar.built_in) ?? list[0] ?? null;
}

/** Draw the strip; `choose(avatar)` at every change. */
export function faceStrip(element, list, chosen, choose) {
  if (!list.length) {
    fill(element, h("p", { class: "small soft" }, h("span", { t: "faces.none" }), " ", h("a", { href: "/model_training", t: "faces.make" })));
    return;
  }
  fill(element, list.map((avatar) => h("label", { title: avatar.name },
    h("input", { type: "radio", name: "face", value: avatar.id, checked: avatar.id === chosen?.id,
      on: { change: () => { remember(avatar.id); choose(avatar); } } }),
    h("img", { src: avatar.poster, alt: "", width: 72, height: 72 }),
    h("span", {}, avatar.name))));
  const selected = element.querySelector("input:checked")?.parentElement;
  if (selected) element.scrollLeft = selected.offsetLeft - element.clientWidth / 2;
}
