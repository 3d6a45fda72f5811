/** What the rater has seen: when an image was painted and how long it was attended to since. */

/** Resolve once the browser has painted what is in the page now; while the page is hidden, not before it is shown. */
export function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}

/** Counts how long one image is attended to from the moment it was painted. */
export class Sight {
  #from = 0;

  /** @param {import("./attention.js").Attention} attention */
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
