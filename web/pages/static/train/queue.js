/** The items to come: leased ahead of the rater, in the order they will be shown, their images on the way. */

import { orElse } from "./store.js";
import { Failure } from "./wire.js";

const DECODED_AHEAD = 5;
const MOST_LEASES = 60; // the server gives no more
const FAIR = 12; // others wait for what one rater holds
const OPTIONS = 2; // of most experiments
const TRIPS = 3; // until a photo that is asked for now is here: its lease, and others' images before its own
const FIRST_MS = 1_000;
const SLOWEST_MS = 3_000; // who takes longer for a photo rests
const EXPERIMENTS_REMEMBERED = 150;

/** Return the items of an experiment. @param {Experiment} experiment @returns {Item[]} */
export function itemsOf({ options, experiment_id, practice, study, source_url, source_width, source_height }) {
  return options.map(({ option_id, image_url, width, height }) => ({
    experiment_id, option_id, image_url, width, height, source_url, source_width, source_height, practice, study,
  }));
}

/** Items ahead of the rater. */
export class Queue {
  /** @type {Item[]} */
  #items = [];
  /** @type {Map<string, Item[]>} every version of an experiment met so far, for the grid */
  #met = new Map();
  /** @type {Set<string>} options put back: shown again whatever the server still holds for us */
  #back = new Set();
  /** @type {Set<string>} experiments shown elsewhere on the page */
  #elsewhere = new Set();
  #trip = 0; // milliseconds for the server to answer
  #between = FIRST_MS; // milliseconds from photo to photo, of late
  #taken = 0;

  /**
   * @param {Wire} wire @param {Store} store
   * @param {Images} images @param {number} least experiments to hold
   * @param {string} study "" for the one the server chooses
   */
  constructor(wire, store, images, least, study) {
    this.wire = wire;
    this.store = store;
    this.images = images;
    this.least = least;
    this.study = study;
  }

  /** Return how many items wait. */
  get length() {
    return this.#items.length;
  }

  /** Return how many experiments to hold: more for who is faster than the network, as far as that is fair. */
  get ahead() {
    const rated = (TRIPS * this.#trip) / this.#between; // before what is asked for now is here
    return Math.max(this.least, Math.min(FAIR, this.least + Math.round(rated / OPTIONS)));
  }

  /** Tell whether so few experiments wait that more should be asked for. */
  get short() {
    return this.#held < this.ahead - 1;
  }

  /** Return how many experiments wait. */
  get #held() {
    return new Set(this.#items.map((item) => item.experiment_id)).size;
  }

  /**
   * Lease more, or throw a Failure.
   * @param {(option: string) => boolean} taken tells what must not be shown again
   * @param {number} [untold] answers the server does not know: to it, their experiments are still held
   */
  async lease(taken, untold = 0) {
    const n = Math.min(MOST_LEASES, Math.max(this.#held, this.ahead + Math.ceil(untold / OPTIONS)));
    const query = new URLSearchParams({ n: String(n), ...(this.study && { study: this.study }) });
    const asked = performance.now();
    /** @type {Next} */
    const next = await this.wire.call("GET", `/api/train/next?${query}`);
    this.#trip = performance.now() - asked;
    await this.#merge(next, taken);
    await orElse(this.store.keepLeases(next), undefined);
    return next;
  }

  /** Tell whether the server answers at all. @param {(option: string) => boolean} taken */
  async reachable(taken) {
    try {
      await this.lease(taken);
      return true;
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  }

  /** Take up what was leased before a reload. @param {(option: string) => boolean} taken @returns {Promise<Next | undefined>} */
  async restore(taken) {
    const next = await orElse(this.store.leases(), undefined);
    if (next) await this.#merge(next, taken);
    return next;
  }

  /** Keep what is still leased in its place, and put what is new behind it. @param {Next} next @param {(option: string) => boolean} taken */
  async #merge(next, taken) {
    const experiments = next.experiments.map((experiment) => ({ ...experiment, study: next.study ?? undefined }));
    experiments.forEach((experiment) => this.meet(experiment));
    const leased = experiments.flatMap(itemsOf);
    const answered = await orElse(this.store.answeredOptions(), new Set());
    const isOpen = (/** @type {Item} */ { option_id: option }) => !taken(option) && !answered.has(option);
    const open = new Map(leased.filter(isOpen).map((item) => [item.option_id, item]));
    const kept = this.#items.filter((item) => open.delete(item.option_id) || this.#back.has(item.option_id));
    this.#items = [...kept, ...open.values()].filter((item) => !this.#elsewhere.has(item.experiment_id));
  }

  /** Remember an experiment's versions. @param {Experiment} experiment */
  meet(experiment) {
    const known = this.#met.get(experiment.experiment_id) ?? [];
    const fresh = itemsOf(experiment).filter((item) => !known.some((old) => old.option_id === item.option_id));
    this.#met.set(experiment.experiment_id, [...known, ...fresh]);
    const [oldest] = this.#met.keys();
    if (this.#met.size > EXPERIMENTS_REMEMBERED) this.#met.delete(oldest);
  }

  /** Return all versions of the item's experiment met so far, itself included. @param {Item} item */
  siblings(item) {
    const met = this.#met.get(item.experiment_id) ?? [];
    return met.some((other) => other.option_id === item.option_id) ? met : [...met, item];
  }

  /** Leave an experiment to another part of the page. @param {string} experiment */
  leave(experiment) {
    this.#elsewhere.add(experiment);
    this.#items = this.#items.filter((item) => item.experiment_id !== experiment);
  }

  /** Return the next item and take it out. */
  take() {
    const now = performance.now();
    this.#between += 0.3 * (Math.min(SLOWEST_MS, now - this.#taken) - this.#between);
    this.#taken = now;
    return this.#items.shift();
  }

  /** Put an item back in front. @param {Item} item */
  putBack(item) {
    this.drop(item.option_id);
    this.#back.add(item.option_id);
    this.#items.unshift(item);
  }

  /** Take an option out. @param {string} option */
  drop(option) {
    this.#back.delete(option);
    this.#items = this.#items.filter((item) => item.option_id !== option);
  }

  /** Decode the images of the next items and fetch those of the others; free the rest. @param {Item | null} current */
  prefetch(current) {
    const near = [...(current ? [current] : []), ...this.#items.slice(0, DECODED_AHEAD)];
    const far = this.#items.slice(DECODED_AHEAD);
    this.images.want(
      [...near.map((item) => item.image_url), ...near.map((item) => item.source_url)],
      far.flatMap((item) => [item.image_url, item.source_url]),
    );
  }

  /** Drop kept images that neither the queue nor these items need. @param {Item[]} others */
  prune(others) {
    const wanted = [...this.#items, ...others].flatMap((item) => [item.image_url, item.source_url]);
    return orElse(this.store.pruneImages(new Set(wanted)), undefined);
  }
}
