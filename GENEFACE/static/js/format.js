// Numbers with units, as people read them.
import { currentLanguage, t } from "./i18n.js";

const locale = () => (currentLanguage() === "zh" ? "zh-CN" : "en");

/** "45 s", "3 min", "1 h 20 min". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("unit.seconds", { n: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t("unit.minutes", { n: minutes });
  return t("unit.hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/** "0.8 s". */
export const exactSeconds = (seconds) => t("unit.seconds", { n: Number(seconds).toFixed(1) });

/** "3 min left". */
export const left = (seconds) => (seconds === null || seconds === undefined ? "" : t("unit.left", { time: duration(seconds) }));

/** "1:05". */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "48 MB". */
export function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let value = Number(bytes) || 0, unit = 0;
  while (value >= 1000 && unit < 3) { value /= 1000; unit += 1; }
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: value < 10 && unit > 1 ? 1 : 0 }).format(value)} ${units[unit]}`;
}

/** "43%". */
export const percent = (fraction) => `${Math.min(100, Math.floor((fraction || 0) * 100))}%`;

/** "12,000". */
export const number = (value, digits = 0) => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);

/** "Nov 21, 14:05"; with the year when it is another one. */
export function when(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const options = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  if (date.getFullYear() !== new Date().getFullYear()) options.year = "numeric";
  return new Intl.DateTimeFormat(locale(), options).format(date);
}

/** Seconds that a text takes to speak, roughly. */
export function speechSeconds(text, speed = 1) {
  const cjk = (text.match(/[\u3400-\u9fff\uf900-\ufaff]/g) || []).length;
  const digits = (text.match(/\d/g) || []).length;
  const words = (text.match(/[A-Za-zÀ-ɏ']+/g) || []).length;
  const pauses = (text.match(/[,.;:!?\uff0c\u3002\uff1b\uff1a\uff01\uff1f\u3001\n]/g) || []).length;
  return (cjk / 4.4 + digits / 3.2 + words / 2.7 + pauses * 0.2) / speed;
}

/** Words that stay on one line. */
export const whole = (words) => words.replaceAll(" ", "\u00a0");

/** By how much a sound was set right against the lips, in words. */
export const offsetWords = (milliseconds) => (milliseconds
  ? t(milliseconds > 0 ? "figure.offset_later" : "figure.offset_earlier", { value: number(Math.abs(milliseconds)) }) : t("figure.no_offset"));
