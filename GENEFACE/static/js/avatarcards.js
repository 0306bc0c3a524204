// The gallery of trained faces.
import { api, patch, remove } from "./api.js";
import { confirmed, fill, h, icon } from "./dom.js";
import { duration, number, offsetWords, size, when, whole } from "./format.js";
import { sentence, t, tOr } from "./i18n.js";
import { measuredLine, openHistory } from "./measured.js";
import { notice } from "./problems.js";

/** A small menu behind three dots; entries are elements. */
export function menu(entries) {
  const list = h("div", { class: "menu-list", hidden: true }, entries);
  const opener = h("button", { type: "button", class: "button plain square", label: "word.more", "aria-expanded": "false" }, icon("more"));
  const show = (yes) => { list.hidden = !yes; opener.setAttribute("aria-expanded", String(yes)); };
  opener.addEventListener("click", () => show(list.hidden));
  const element = h("div", { class: "menu" }, opener, list);
  document.addEventListener("click", (event) => { if (!element.contains(event.target) || list.contains(event.target)) show(false); });
  element.addEventListener("keydown", (event) => { if (event.key === "Escape") { show(false); opener.focus(); } });
  return element;
}

const FIGURES = {
  psnr_mouth_crop: (value) => t("figure.psnr", { value: number(value, 1) }),
  ssim_mouth_crop: (value) => t("figure.ssim", { value: number(value, 3) }),
  sharpness_ratio: (value) => t("figure.sharpness", { value: number(value * 100) }),
  seconds: (value) => t("figure.seconds", { value: duration(value) }),
  offset_ms: offsetWords,
};

function figures(avatar, examined) {
  const told = Object.entries(FIGURES).filter(([key]) => Number.isFinite(avatar.figures?.[key]) && !(examined && key.endsWith("_crop")))
    .map(([key, say]) => h("span", { live: () => say(avatar.figures[key]) }));
  if (avatar.figures?.quality) told.unshift(h("span", { live: () => tOr(`quality.${avatar.figures.quality}`, avatar.figures.quality) }));
  if (avatar.kind === "video" && avatar.seconds_trained > 0) told.push(h("span", { live: () => t("figure.trained", { time: duration(avatar.seconds_trained) }) }));
  return told;
}

function card(avatar, fresh, changed, measured) {
  const title = h("h3", {}, avatar.name);
  const problem = h("div", {});
  const rename = () => {
    const input = h("input", { class: "input", value: avatar.name, maxlength: 60, label: "avatars.rename" });
    title.replaceChildren(input);
    input.select();
    let done = false;
    const finish = async (keep) => {
      if (done) return;
      done = true;
      const name = input.value.trim();
      if (keep && name && name !== avatar.name) {
        try { avatar = await patch(`/api/avatars/${avatar.id}`, { name }); } catch (error) { fill(problem, notice(error)); }
      }
      title.replaceChildren(avatar.name);
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") finish(true);
      if (event.key === "Escape") finish(false);
    });
    input.addEventListener("blur", () => finish(true));
  };
  const erase = async () => {
    if (!await confirmed(() => t("avatars.delete_question", { name: avatar.name }), "word.delete")) return;
    try { await remove(`/api/avatars/${avatar.id}`); changed(); } catch (error) { fill(problem, notice(error)); }
  };
  const entry = (key, name, props) => h(props.href ? "a" : "button", { type: props.href ? null : "button", ...props }, icon(name), h("span", { t: key }));
  return h("article", { class: `face ${fresh ? "fresh" : ""}` },
    h("div", { class: "face-picture" }, h("img", { src: avatar.poster, alt: "", loading: "lazy", width: 320, height: 320 }),
      h("span", { class: "chip", live: () => t(avatar.built_in ? "avatars.built_in" : avatar.kind === "photo" ? "avatars.photo" : "avatars.video") })),
    h("div", { class: "face-body" }, title,
      h("p", { class: "small soft", live: () => [tOr(`engine.${avatar.engine}`, avatar.engine), when(avatar.created), size(avatar.size)].filter(Boolean).map(whole).join(" · ") }),
      h("p", { class: "face-figures numbers" }, figures(avatar, measured.length > 0)),
      measured.length ? null : (avatar.notes ?? []).map((note) => h("p", { class: "small soft face-note", live: () => sentence(note) })),
      measured.length ? measuredLine(measured.find((one) => one.region === "mouth") ?? measured[0]) : null, problem),
    h("div", { class: "face-actions" },
      h("a", { class: "button", href: `/chat_system?avatar=${avatar.id}` }, icon("talk"), h("span", { t: "avatars.talk" })),
      h("a", { class: "button", href: `/video_generation?avatar=${avatar.id}` }, icon("create"), h("span", { t: "avatars.create" })),
      menu([
        entry("avatars.rename", "edit", { on: { click: rename } }),
        measured.length || avatar.exam ? entry("evaluation.history", "evaluation", { on: { click: () => openHistory(avatar, measured) } }) : null,
        entry("avatars.export", "package", { href: `/api/avatars/${avatar.id}/package.zip`, download: true }),
        entry("word.delete", "trash", { class: "danger", on: { click: erase } }),
      ])));
}

/** Draw every avatar as a card; `changed()` after one was deleted. */
export function avatarCards(element, list, fresh, changed, measured = new Map()) {
  if (list.length) fill(element, list.map((avatar) => card(avatar, avatar.id === fresh, changed, measured.get(avatar.id) ?? [])));
  else fill(element, h("div", { class: "empty", style: "grid-column:1/-1" }, h("p", { t: "avatars.none" })));
}

/** Import an avatar package that was uploaded. */
export const importPackage = (upload) => api("/api/avatars/import", { method: "POST", json: { upload: upload.id } });
