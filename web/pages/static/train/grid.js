/** A grid of versions beside their original, each with its own five radios; used for one experiment and for uploads. */

import { ImageFailure } from "./images.js";
import { painted, Sight } from "./attention.js";
import { make } from "../elements.js";

const WORDS = ["Bad", "Poor", "Fair", "Good", "Excellent"];
let grids = 0;

/** Return five radios in a fieldset, off until the image is seen. @param {string} name @param {string} legend */
function radios(name, legend) {
  const choices = WORDS.map((word, i) =>
    make("label", { class: "score" },
      make("input", { type: "radio", name, value: String(i + 1) }),
      make("span", { class: "score-key" }, String(i + 1)),
      make("span", { class: "score-word" }, word)));
  const fieldset = make("fieldset", { class: "scores" }, make("legend", { class: "visually-hidden" }, legend), ...choices);
  fieldset.disabled = true;
  return fieldset;
}

/** Resolve once a part of the element is on the screen. @param {Element} element */
function onScreen(element) {
  return new Promise((resolve) => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      resolve(undefined);
    });
    observer.observe(element);
  });
}

/** Versions of one photo, rated in place. */
export class Grid {
  /** @type {Cell[]} */
  cells = [];

  /** @param {Session} session @param {Images} images @param {Item[]} items of one experiment */
  constructor(session, images, items) {
    this.session = session;
    this.images = images;
    grids += 1;
    this.cells = items.map((item, i) => this.#cell(item, `grid-${grids}-${i}`, `Version ${i + 1}`));
    const original = make("figure", { class: "option" }, this.#picture(items[0].source_url, "Original", items[0].source_width, items[0].source_height), make("figcaption", {}, "Original"));
    this.element = make("div", { class: "options" }, original, ...this.cells.map((cell) => cell.figure));
    this.hear = (/** @type {Event} */ event) => this.#mark(/** @type {CustomEvent} */ (event).detail);
    session.addEventListener("answered", this.hear);
    for (const cell of this.cells) void this.#open(cell);
  }

  /** Stop listening. */
  end() {
    this.session.removeEventListener("answered", this.hear);
  }

  /** @param {Item} item @param {string} name @param {string} label @returns {Cell} */
  #cell(item, name, label) {
    const scores = radios(name, `${label}: how good is it?`);
    const said = make("span", { class: "muted" });
    const figure = make("figure", { class: "option", tabindex: "0", "data-option": item.option_id, "aria-label": label },
      this.#picture(item.image_url, "Variant", item.width, item.height),
      make("figcaption", {}, label, said), scores);
    const cell = { item, figure, scores, said, sight: null };
    scores.addEventListener("change", (event) => this.#rate(cell, Number(/** @type {HTMLInputElement} */ (event.target).value)));
    figure.addEventListener("keydown", (event) => this.#key(cell, event));
    const given = this.session.answered.get(item.option_id);
    this.#paint(cell, given?.score ?? 0);
    return cell;
  }

  /** Return a place of known size; its image comes later. @param {string} url @param {string} alt @param {number} width @param {number} height */
  #picture(url, alt, width, height) {
    const place = make("img", { alt, width: String(width), height: String(height) });
    this.images.showIn(place, url).catch((error) => {
      if (!(error instanceof ImageFailure)) throw error;
      place.alt = `${alt} (did not load)`;
    });
    return make("div", { class: "option-picture" }, place);
  }

  /** Let a version be rated once it is on the screen. @param {Cell} cell */
  async #open(cell) {
    const image = /** @type {HTMLImageElement} */ (cell.figure.querySelector("img"));
    await new Promise((resolve) => image.addEventListener("load", resolve, { once: true }));
    await onScreen(image);
    await painted();
    cell.sight = new Sight(this.session.attention);
    cell.scores.disabled = false;
  }

  /** @param {Cell} cell @param {KeyboardEvent} event */
  #key(cell, event) {
    const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1];
    if (!digit || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!cell.sight) return;
    this.#rate(cell, Number(digit));
    this.cells.find((other) => !this.session.answered.has(other.item.option_id))?.figure.focus();
  }

  /** @param {Cell} cell @param {number} score */
  #rate(cell, score) {
    if (!cell.sight || this.session.answered.get(cell.item.option_id)?.score === score) return;
    const remarks = { tags: [], comment: "", flagged: false };
    void this.session.answer(cell.item, { score }, cell.sight, remarks, `Saved ${score}. It can be changed here.`);
  }

  /** @param {{option_id: string, score: number}} given */
  #mark({ option_id: option, score }) {
    const cell = this.cells.find(({ item }) => item.option_id === option);
    if (cell) this.#paint(cell, score);
  }

  /** @param {Cell} cell @param {number} score */
  #paint(cell, score) {
    for (const input of cell.scores.querySelectorAll("input")) input.checked = Number(input.value) === score;
    cell.said.textContent = score ? `Rated ${score}` : "";
    cell.figure.toggleAttribute("data-rated", score > 0);
  }
}
