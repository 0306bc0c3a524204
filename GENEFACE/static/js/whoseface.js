// Whose face: somebody who agreed before, or photos and a new consent.  Used by every page that can change a face.
import { get } from "./api.js";
import { consentForm, proofStep } from "./consentform.js";
import { fill, h, icon } from "./dom.js";
import { FacePhotos } from "./facephotos.js";
import { when } from "./format.js";
import { t } from "./i18n.js";
import { notice } from "./problems.js";

const forFaces = (consent) => consent.scope !== "voice";

/** Inside `element`; `changed({photos, consent, person} | null)` whenever what may be used changes. */
export class WhoseFace {
  constructor(element, changed) {
    Object.assign(this, { element, changed, asked: 0 });
    this.known = h("div", { class: "strip", role: "group", label: "swap.known" });
    this.place = h("div", { class: "stack tight", id: "consent-place", "aria-live": "polite" });
    const drop = h("div", { class: "stack tight" });
    fill(element, this.known, drop, this.place);
    this.photos = new FacePhotos(drop, (photos) => this.#look(photos));
    document.addEventListener("consents", () => this.#look(this.photos.photos));
    this.#look([]);
  }

  /** Ask which consents there are and whether one covers the photos. */
  async #look(photos) {
    const mine = this.asked += 1;
    this.changed(null);
    try {
      const told = await get(`/api/consents?photos=${photos.map((photo) => photo.id).join(",")}`);
      if (mine === this.asked) this.#show(photos, told);
    } catch (error) {
      if (mine !== this.asked) return;
      // Photos go with their consent: what was erased elsewhere is not kept here.
      if (error.status === 404 && photos.length) this.photos.use([]);
      else fill(this.place, notice(error, { retry: () => this.#look(photos) }));
    }
  }

  #show(photos, told) {
    const usable = (consent) => consent.state === "valid" && forFaces(consent) && (consent.proof || !told.proof_needed);
    const covering = told.consents.filter((consent) => consent.covers && forFaces(consent));
    const found = covering.find(usable);
    this.#people(told.consents.filter((consent) => usable(consent) && consent.uploads.length), found);
    if (!photos.length) { fill(this.place); return; }
    if (found) {
      this.photos.keep(found.uploads.length > 0);
      fill(this.place, this.#agreed(found));
      this.changed({ photos: photos.map((photo) => photo.id), consent: found.id, person: found.person });
      return;
    }
    const unproved = covering.find((consent) => consent.state === "valid");
    const ended = covering.find((consent) => consent.state !== "valid");
    const done = () => { this.photos.keep(false); document.dispatchEvent(new CustomEvent("consents")); };
    if (unproved) fill(this.place, proofStep(unproved, told, done));
    else fill(this.place, ended ? notice({ code: ended.state === "revoked" ? "page.consent_revoked" : "page.consent_expired", params: { person: ended.person } }, { kind: "warn", number: "E09" }) : null,
      consentForm(photos.map((photo) => photo.id), told, done));
  }

  #agreed(consent) {
    return h("div", { class: "notice", id: "consent-found" }, icon("check"),
      h("strong", { live: () => t("swap.agreed", { person: consent.person }) }),
      h("span", { live: () => (consent.expires ? t("swap.agreed_until", { giver: consent.giver, created: when(consent.created), expires: when(consent.expires) })
        : t("swap.agreed_on", { giver: consent.giver, created: when(consent.created) })) }));
  }

  #people(consents, chosen) {
    this.known.hidden = !consents.length;
    fill(this.known, consents.map((consent) => {
      const id = `known-${consent.id}`;
      return h("label", { for: id, title: consent.person },
        h("input", { type: "radio", name: `known-${this.place.id}`, id, checked: consent.id === chosen?.id, on: { change: () => this.photos.use(consent.uploads.map((one) => ({ id: one, name: consent.person, fresh: false }))) } }),
        h("img", { src: `/api/uploads/${consent.uploads[0]}/file`, alt: "", width: 72, height: 72 }), h("span", {}, consent.person));
    }));
  }
}
