/** What the rater has seen, by a clock that runs only while the page is visible and somebody is at it. */

const IDLE_MS = 60_000;
const BREAK_MS = 5 * 60_000; // so long away is a break, whatever it was taken for
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

/** Counts attended milliseconds: a minute without any input is waited for, no more. */
export class Attention {
  #attended = 0;
  #rested = 0; // what was attended up to the last break
  #looked = 0;
  #stirred = 0;
  #hidden = false;

  /** @param {() => number} [now] milliseconds that never go back */
  constructor(now = () => performance.now()) {
    this.now = now;
    this.#looked = this.#stirred = now();
  }

  /** Listen to a page for signs of somebody. @param {Document} page */
  watch(page) {
    this.#hidden = page.visibilityState === "hidden";
    for (const sign of SIGNS) page.addEventListener(sign, () => this.stir(), { capture: true, passive: true });
    page.addEventListener("visibilitychange", () => this.turn(page.visibilityState === "hidden"));
  }

  /** Somebody is there: they pressed something, or something new came into their sight. */
  stir() {
    this.#tally();
    if (this.now() - this.#stirred >= BREAK_MS) this.rest();
    this.#stirred = this.now();
  }

  /** The page was hidden or shown. @param {boolean} hidden */
  turn(hidden) {
    this.#tally();
    this.#hidden = hidden;
    if (!hidden) this.stir();
  }

  /** Begin to count anew how long somebody works without a break. */
  rest() {
    this.#rested = this.ms();
  }

  /** Return the attended milliseconds so far. */
  ms() {
    this.#tally();
    return this.#attended;
  }

  /** Return the attended milliseconds since the last break. */
  sinceBreak() {
    return this.ms() - this.#rested;
  }

  #tally() {
    const now = this.now();
    if (!this.#hidden) this.#attended += Math.max(0, Math.min(now, this.#stirred + IDLE_MS) - this.#looked);
    this.#looked = now;
  }
}

/** Resolve once the browser has painted what is in the page now; while the page is hidden, not before it is shown. */
export function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** Counts how long one image is attended to from the moment it was painted. */
export class Sight {
  #from = 0;

  /** @param {Attention} attention */
  constructor(attention) {
    this.attention = attention;
    this.paintedAt = new Date();
    attention.stir(); // what has just appeared is looked at
    this.#from = attention.ms();
  }

  /** Return the attended milliseconds so far. */
  seenMs() {
    return Math.round(this.attention.ms() - this.#from);
  }
}
