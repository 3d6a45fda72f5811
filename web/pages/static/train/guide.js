/**
 * What raters of a study are told: fetched once for each study, kept for a time without network, shown in the help and
 * before the first photo; and what an admin wrote to the rater, shown until they say that they have read it, here or on
 * their status page.
 */

import { make } from "../elements.js";
import { shared } from "./shelf.js";
import { byId } from "./view.js";
import { Failure, NOTHING_DUE } from "./wire.js";

const KEPT = "palate-guide";
const ADMITTED = "palate-admitted";

/** Return text as paragraphs, which stand apart by empty lines. @param {string} text */
export function paragraphs(text) {
  return text.split(/\n\s*\n/).filter((part) => part.trim()).map((part) => make("p", {}, part.trim()));
}

/** Return what each score means, with examples where there are any. @param {Anchor[]} anchors */
function scale(anchors) {
  const rows = anchors.flatMap(({ score, label, words, example_url: url }) => [
    make("dt", {}, `${score} ${label}`),
    make("dd", {}, words, ...(url ? [make("img", { src: url, alt: `Example of ${score} ${label}`, class: "example", loading: "lazy" })] : [])),
  ]);
  return make("dl", { class: "anchors" }, ...rows);
}

/** The guide of the study that is on. */
export class Guide {
  /** @type {Told | null} */
  told = null;
  #study = ""; // whose guide is wanted; "" for the one the server chooses
  /** @type {Map<string, Told & {rater?: string}>} */
  #known = new Map();

  #unsafe = /** @type {HTMLInputElement} */ (byId("unsafe"));

  /** @param {Wire} wire */
  constructor(wire) {
    this.wire = wire;
    this.#unsafe.addEventListener("change", () => void this.#choose());
  }

  /** Have a study's guide as far as this browser has it, else none. @param {string} study @returns {boolean} whether it came with this load */
  restore(study) {
    const kept = this.#known.get(study) ?? shared.object(KEPT);
    this.#study = study;
    this.told = kept.study?.id === study && kept.rater === this.wire.rater ? kept : null;
    return this.#known.has(study);
  }

  /** Tell whether the guide of a study is here, or any where the server chooses. @param {string} study */
  tells(study) {
    return this.told !== null && (!study || this.told.study.id === study);
  }

  /** Fetch the guide of a study, or throw a Failure. @param {string} study "" for the one the server chooses */
  async load(study) {
    /** @type {Told} */
    const told = await this.wire.call("GET", `/api/train/guide?${new URLSearchParams(study && { study })}`);
    const kept = { ...told, rater: this.wire.rater };
    this.#known.set(told.study.id, kept);
    shared.set(KEPT, JSON.stringify(kept));
    if (!this.#study || study === this.#study) this.told = told; // else another was turned to meanwhile
  }

  /** Ask what must be done before the first photo of a study; this browser need not ask again once nothing was. @param {string} study */
  async due(study) {
    if (shared.get(ADMITTED) === `${this.wire.rater} ${study}`) return NOTHING_DUE;
    try {
      return await this.wire.call("POST", "/api/train/enrolment", study ? { study } : {});
    } catch (error) {
      if (error instanceof Failure && error.kind === "refused") return NOTHING_DUE; // there is no such study: said with the photos
      throw error;
    }
  }

  /** Remember that nothing was due in a study. @param {string} study */
  admitted(study) {
    shared.set(ADMITTED, `${this.wire.rater} ${study}`);
  }

  /** Tell the server what the rater says of themselves, and return what is still due; throws a Failure. @param {object} said @returns {Promise<Onboarding>} */
  say(said) {
    return this.wire.call("POST", "/api/train/enrolment", { study: this.told?.study.id, ...said });
  }

  /** Show criteria and scale. @param {HTMLElement} place */
  showIn(place) {
    if (this.told) place.replaceChildren(...paragraphs(this.told.words), scale(this.told.anchors));
  }

  /** Show in the help whether photos that others found unsafe are given. */
  showChoice() {
    this.#unsafe.checked = this.told?.unsafe_ok === false;
  }

  async #choose() {
    const said = byId("unsafe-said");
    try {
      await this.say({ unsafe_ok: !this.#unsafe.checked });
      said.textContent = "Kept.";
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      said.textContent = error.message;
    }
  }

  /** Return what a score means. @param {number} score */
  meaning(score) {
    return this.told?.anchors.find((anchor) => anchor.score === score)?.words ?? "";
  }
}

/** The place for messages on the page. */
export class Letters {
  #root = byId("letter");
  #read = ""; // when the one was written that was read last: turns that were under way still bring it
  /** @type {Letter | null} */
  #shown = null;

  /** @param {Wire} wire */
  constructor(wire) {
    this.wire = wire;
    byId("letter-read").addEventListener("click", () => void this.#close());
  }

  /** Show a message of a study, or none. @param {Letter | null} letter @param {string} study */
  show(letter, study) {
    const fresh = letter && letter.at !== this.#read ? letter : null;
    if (fresh?.at === this.#shown?.at) return;
    this.#shown = fresh;
    this.study = study;
    this.#root.hidden = !fresh;
    byId("letter-text").textContent = fresh ? `An admin writes: ${fresh.words}` : "";
  }

  async #close() {
    if (!this.#shown) return;
    const { at } = this.#shown;
    this.#read = at;
    this.show(null, this.study ?? "");
    byId("stage").focus({ preventScroll: true });
    try {
      await this.wire.call("POST", "/api/train/enrolment", { study: this.study, message_read: at });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#read = ""; // not known yet: it is shown again with the next photos, and on the status page
    }
  }
}
