/** What the rater has seen: when an image was painted and how long it was visible since. */

/** Resolve once the browser has painted what is in the page now; while the page is hidden, not before it is shown. */
export function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** Counts the visible time of one image from the moment it was painted. */
export class Sight {
  #seenMs = 0;
  #since = 0;
  #watch = () => this.#tally();

  constructor() {
    this.paintedAt = new Date();
    this.#since = performance.now();
    document.addEventListener("visibilitychange", this.#watch);
  }

  /** Add the time since the last look, if the page was visible; the page is the other way round when this is called by an event. */
  #tally() {
    const now = performance.now();
    if (document.visibilityState === "hidden") this.#seenMs += now - this.#since;
    this.#since = now;
  }

  /** Return the visible milliseconds so far. */
  seenMs() {
    const open = document.visibilityState === "visible" ? performance.now() - this.#since : 0;
    return Math.round(this.#seenMs + open);
  }

  /** Stop counting. */
  end() {
    document.removeEventListener("visibilitychange", this.#watch);
  }
}
