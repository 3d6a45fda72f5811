/** When the server is asked: while little is left to rate, before leases end, and as soon as the network is back. */

import { backOff, Failure } from "./wire.js";

/** Asks in rounds, one at a time; in each, what is kept is told first, unless it is being told anyhow. */
export class Rounds {
  resting = false;
  #running = false;
  #wanted = false; // asked for again during a round
  #failures = 0;
  #timer = 0;

  /**
   * @param {Outbox} outbox
   * @param {() => Promise<number | null>} ask returns the milliseconds to the next round, null for none; throws a Failure
   * @param {(failure: Failure) => Promise<void>} onFailure
   */
  constructor(outbox, ask, onFailure) {
    this.outbox = outbox;
    this.ask = ask;
    this.onFailure = onFailure;
  }

  /** Begin, and go on whenever something says that the server may answer. */
  start() {
    addEventListener("online", () => this.go(true));
    this.outbox.addEventListener("told", () => this.#failures && this.go(true));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.go(true));
    return this.go();
  }

  /** Ask now, or once more after the round that is on; while backing off only `force` asks at once. @param {boolean} [force] */
  async go(force = false) {
    this.#wanted = true;
    if (this.#running || this.resting || (this.#failures && !force)) return;
    this.#running = true;
    clearTimeout(this.#timer);
    /** @type {number | null} */
    let wait = null;
    try {
      wait = await this.#round();
    } finally {
      this.#running = false;
    }
    if (this.resting || wait === null) return;
    this.#timer = setTimeout(() => this.go(true), this.#wanted ? 0 : wait);
  }

  async #round() {
    try {
      await this.outbox.told();
      this.#wanted = false;
      const wait = await this.ask();
      this.#failures = 0;
      return wait;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const wait = Math.max(backOff(this.#failures), error.waitMs);
      this.#failures += 1;
      this.#wanted = false;
      await this.onFailure(error);
      return wait;
    }
  }

  /** Ask no more until `go` is called after a `wake`. */
  rest() {
    this.resting = true;
    clearTimeout(this.#timer);
  }

  /** Be ready to ask again. */
  wake() {
    this.resting = false;
  }
}
