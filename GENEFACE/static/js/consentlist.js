// The consents of this browser: what each covers, withdrawing, and erasing everything made under it.
import { get, post, remove } from "./api.js";
import { button, confirmed, fill, h, icon } from "./dom.js";
import { size, when } from "./format.js";
import { bind, t, tOr } from "./i18n.js";
import { notice } from "./problems.js";

const told = () => document.dispatchEvent(new CustomEvent("consents"));

/** "1 photo, 2 results": what hangs on a consent. */
const countsWords = (made) => Object.entries(made).map(([kind, n]) => tOr(`swap.made_${kind}`, kind).replace("{n}", n)).join(t("word.list_separator"));

/** Inside `element`; `erased(id)` when everything of a consent is gone. */
export function consentList(element, erased) {
  const list = h("div", { class: "consents" }), gone = h("div", { id: "erased", "aria-live": "polite" });
  fill(element, gone, list);

  async function show() {
    try {
      const { consents } = await get("/api/consents");
      const faces = consents.filter((consent) => consent.scope !== "voice");
      if (faces.length) fill(list, faces.map(row));
      else fill(list, h("div", { class: "empty" }, h("p", { t: "swap.consents_none" })));
    } catch (error) { fill(list, notice(error, { retry: show })); }
  }

  function row(consent) {
    const problem = h("div", { "aria-live": "polite" });
    const state = h("span", { class: `chip ${{ valid: "good", expired: "warn", revoked: "bad" }[consent.state]}` });
    bind(state, () => t(`swap.state_${consent.state}`));
    const picture = consent.uploads.length ? h("img", { src: `/api/uploads/${consent.uploads[0]}/file`, alt: "", width: 48, height: 48 }) : icon("train", "large");
    return h("article", { class: "consent", "data-consent": consent.id }, picture,
      h("div", {}, h("h3", {}, consent.person, " ", state),
        h("p", { class: "small soft", live: () => [t("swap.by", { giver: consent.giver, created: when(consent.created) }),
          consent.expires ? t("swap.until", { expires: when(consent.expires) }) : "", consent.proof ? t("swap.proved") : t("swap.unproved"), countsWords(consent.made)].filter(Boolean).join(" · ") }), problem),
      h("div", { class: "row tight" },
        consent.state === "valid" ? button({ t: "swap.withdraw", on: () => act(problem, consent, "swap.withdraw_question", "swap.withdraw", async () => { await post(`/api/consents/${consent.id}/revoke`); }) }) : null,
        button({ t: "swap.erase", icon: "trash", class: "danger", on: () => act(problem, consent, "swap.erase_question", "swap.erase", () => erase(consent)) })));
  }

  async function erase(consent) {
    const answer = await remove(`/api/consents/${consent.id}`);
    const words = (one) => `${tOr(`swap.kind_${one.kind}`, one.kind)} · ${one.name} · ${size(one.size)}`;
    fill(gone, h("div", { class: "notice" }, icon("check"), h("strong", { live: () => t("swap.erased", { person: consent.person, n: answer.erased.length }) }),
      h("ul", { class: "erased" }, answer.erased.map((one) => h("li", { live: () => words(one) })))));
    gone.scrollIntoView({ block: "nearest" });
    erased(consent.id);
  }

  async function act(problem, consent, question, word, run) {
    const params = () => ({ person: consent.person, made: countsWords(consent.made) || t("swap.made_nothing") });
    if (!await confirmed(() => t(question, params()), word)) return;
    try { await run(); told(); } catch (error) { fill(problem, notice(error)); }
  }

  document.addEventListener("consents", show);
  show();
  return show;
}
