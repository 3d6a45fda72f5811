/** What an admin wrote to the rater: shown until they say that they have read it, here or on their status page. */

import { byId } from "./view.js";
import { Failure } from "./wire.js";

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
