/** The two drawers over the photo: why to skip it, and what is wrong with it. */

import { make } from "../elements.js";
import { mnemonics } from "./keys.js";
import { byId } from "./view.js";

/** The drawers; at most one is open. */
export class Panels {
  #skip = byId("skip-panel");
  #note = byId("note-panel");
  #flag = byId("flag");
  #comment = /** @type {HTMLTextAreaElement} */ (byId("comment"));
  /** @type {HTMLElement[]} */
  #tags = [];
  /** @type {Map<string, string>} */
  letters = new Map();

  /** @param {Keys} keys @param {(reason: string) => void} onSkip @param {() => void} onClose */
  constructor(keys, onSkip, onClose) {
    this.keys = keys;
    this.onSkip = onSkip;
    this.onClose = onClose;
    this.reasons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-skip]")]);
    this.offer({});
    for (const button of this.reasons) button.addEventListener("click", () => onSkip(button.dataset.skip ?? ""));
    this.#flag.addEventListener("click", () => press(this.#flag));
    for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => this.close());
  }

  /** Offer these tags. @param {Record<string, string>} tags label by id */
  offer(tags) {
    this.#tags = Object.entries(tags).map(([id, label]) => this.#tag(id, label));
    byId("tags").replaceChildren(...this.#tags);
    this.assign();
  }

  /** @param {string} id @param {string} label */
  #tag(id, label) {
    const button = make("button", { class: "choice", type: "button", "data-tag": id, "aria-pressed": "false" }, make("kbd", {}), ` ${label}`);
    button.addEventListener("click", () => press(button));
    return button;
  }

  /** Give each tag a letter that none of the keys used beside it has. */
  assign() {
    this.letters = mnemonics(this.#tags.map((tag) => tag.dataset.tag ?? ""), this.keys.taken(["note", "flag", "undo"]));
    for (const [letter, name] of this.letters) this.#label(letter, name);
  }

  /** @param {string} letter @param {string} name */
  #label(letter, name) {
    const tag = this.#tags.find((button) => button.dataset.tag === name);
    const key = tag?.querySelector("kbd");
    if (key) key.textContent = letter.toUpperCase();
  }

  /** Tell whether a drawer is open. */
  get open() {
    return !this.#skip.hidden || !this.#note.hidden;
  }

  /** Tell whether the reasons to skip are open. */
  get skipping() {
    return !this.#skip.hidden;
  }

  /** Open or close the reasons to skip. */
  toggleSkip() {
    this.#toggle(this.#skip, this.#note);
  }

  /** Open or close tags and note. */
  toggleNote() {
    this.#toggle(this.#note, this.#skip);
  }

  /** Flag the photo and open its note. */
  flag() {
    if (this.#note.hidden) this.#toggle(this.#note, this.#skip);
    this.#flag.setAttribute("aria-pressed", "true");
    this.#comment.focus();
  }

  /** @param {HTMLElement} panel @param {HTMLElement} other */
  #toggle(panel, other) {
    other.hidden = true;
    panel.hidden = !panel.hidden;
    this.#tell();
    if (panel.hidden) this.onClose();
    else panel.querySelector("button")?.focus({ preventScroll: true });
  }

  /** Close what is open; what was chosen stays until the photo is rated. */
  close() {
    if (!this.open) return;
    this.#skip.hidden = true;
    this.#note.hidden = true;
    this.#tell();
    this.onClose();
  }

  #tell() {
    byId("skip").setAttribute("aria-expanded", String(!this.#skip.hidden));
    byId("note").setAttribute("aria-expanded", String(!this.#note.hidden));
  }

  /** Use a letter for a tag while the note is open; tell whether it was one. @param {string} key */
  letter(key) {
    const name = this.#note.hidden ? undefined : this.letters.get(key.toLowerCase());
    const tag = this.#tags.find((button) => button.dataset.tag === name);
    if (tag) press(tag);
    return tag !== undefined;
  }

  /** Return what was remarked on the photo. @returns {Remarks} */
  remarks() {
    const pressed = this.#tags.filter((button) => button.getAttribute("aria-pressed") === "true");
    return {
      tags: pressed.map((button) => button.dataset.tag ?? ""),
      comment: this.#comment.value.trim(),
      flagged: this.#flag.getAttribute("aria-pressed") === "true",
    };
  }

  /** Forget what was remarked, for the next photo. */
  clear() {
    for (const button of [...this.#tags, this.#flag]) button.setAttribute("aria-pressed", "false");
    this.#comment.value = "";
    this.close();
  }
}

/** @param {HTMLElement} button a toggle */
function press(button) {
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
}
