/** Images: fetched a few at a time, kept in the browser, decoded before they are needed. */

import { orElse } from "./store.js";

const AT_ONCE = 3; // leaves connections of the browser's six per host for answers
const TRIES = 3;
const RETRY_MS = 250;

/** An image could not be had: it is broken, it is not this rater's any more, or the server was not reached. */
export class ImageFailure extends Error {
  /** @param {"broken"|"over"|"network"} kind @param {string} url */
  constructor(kind, url) {
    super(`Image ${kind}: ${url}`);
    this.kind = kind;
  }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The images of the items to come. */
export class Images {
  /** @type {Map<string, Promise<HTMLImageElement>>} */
  #decoded = new Map();
  /** @type {Map<string, Promise<Blob>>} */
  #fetching = new Map();
  /** @type {Set<string>} addresses whose bytes were no image once */
  #spoilt = new Set();
  /** @type {(() => void)[]} */
  #waiting = [];
  #busy = 0;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
  }

  /** Return the image, decoded; `urgent` goes before all that waits. @param {string} url @param {boolean} [urgent] */
  load(url, urgent = false) {
    let image = this.#decoded.get(url);
    if (!image) {
      image = this.#decode(url, urgent);
      this.#decoded.set(url, image);
      image.catch(() => this.#decoded.delete(url));
    }
    return image;
  }

  /** Fetch the image's bytes into the browser, without decoding; a failure shows when it is loaded. @param {string} url */
  fetchAhead(url) {
    this.#blob(url, false).catch((error) => {
      if (!(error instanceof ImageFailure)) throw error;
    });
  }

  /** Decode ahead; a failure shows when it is loaded again. @param {string} url */
  decodeAhead(url) {
    this.load(url).catch((error) => {
      if (!(error instanceof ImageFailure)) throw error;
    });
  }

  /** Show an image in a place of its own, whatever is freed elsewhere. @param {HTMLImageElement} place @param {string} url */
  async showIn(place, url) {
    place.src = URL.createObjectURL(await this.#blob(url, false));
    try {
      await place.decode();
    } catch {
      throw new ImageFailure("broken", url);
    } finally {
      URL.revokeObjectURL(place.src);
    }
  }

  /** Free the decoded images that are not among these. @param {Set<string>} wanted addresses */
  keepOnly(wanted) {
    for (const [url, loading] of this.#decoded) {
      if (wanted.has(url)) continue;
      this.#decoded.delete(url);
      loading.then((image) => image.isConnected || URL.revokeObjectURL(image.src), () => undefined);
    }
  }

  /** @param {string} url @param {boolean} urgent */
  async #decode(url, urgent) {
    for (let tries = 1; ; tries += 1) {
      const image = new Image();
      image.decoding = "sync";
      image.draggable = false;
      image.src = URL.createObjectURL(await this.#blob(url, urgent));
      try {
        await image.decode();
        return image;
      } catch {
        URL.revokeObjectURL(image.src);
        await this.#spoil(url);
        if (tries === TRIES) throw new ImageFailure("broken", url);
      }
    }
  }

  /** Have the image's bytes fetched anew: those that came are no image. @param {string} url */
  async #spoil(url) {
    this.#spoilt.add(url);
    await orElse(this.store.dropImages([url]), undefined);
  }

  /** @param {string} url @param {boolean} urgent */
  #blob(url, urgent) {
    let fetching = this.#fetching.get(url);
    if (!fetching) {
      fetching = this.#keptOrFetched(url, urgent).finally(() => this.#fetching.delete(url));
      this.#fetching.set(url, fetching);
    }
    return fetching;
  }

  /** @param {string} url @param {boolean} urgent */
  async #keptOrFetched(url, urgent) {
    const kept = await orElse(this.store.image(url), undefined);
    if (kept) return kept;
    await this.#turn(urgent);
    try {
      const blob = await this.#fetchTried(url);
      await orElse(this.store.keepImage(url, blob), undefined);
      return blob;
    } finally {
      this.#busy -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Wait for one of the few places. @param {boolean} urgent */
  async #turn(urgent) {
    if (this.#busy >= AT_ONCE) {
      await new Promise((resolve) => {
        const go = () => resolve(undefined);
        if (urgent) this.#waiting.unshift(go);
        else this.#waiting.push(go);
      });
    }
    this.#busy += 1;
  }

  /** @param {string} url @returns {Promise<Blob>} */
  async #fetchTried(url) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#fetchOnce(url);
      } catch (error) {
        if (!(error instanceof ImageFailure) || error.kind === "over" || tries === TRIES) throw error;
        await pause(RETRY_MS * 2 ** tries);
      }
    }
  }

  /** @param {string} url @returns {Promise<Blob>} */
  async #fetchOnce(url) {
    /** @type {Response} */
    let response;
    try {
      const cache = this.#spoilt.has(url) ? "reload" : "default";
      response = await fetch(url, { cache, signal: AbortSignal.timeout(30_000) });
      if (response.ok) return await response.blob();
    } catch {
      throw new ImageFailure("network", url);
    }
    if (response.status === 410) throw new ImageFailure("over", url);
    throw new ImageFailure(response.status === 401 || response.status >= 500 ? "network" : "broken", url);
  }
}
