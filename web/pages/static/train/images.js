/** Images: fetched a few at a time, kept in the browser, decoded before they are needed. */

import { orElse } from "./store.js";

const AT_ONCE = 4; // leaves two of the browser's six connections per host: for answers, and for what is asked
const TRIES = 3;
const RETRY_MS = 250;
const SILENCE_MS = 8_000; // a connection that brings nothing for so long is dead
const FIRST = -1; // the place of what is waited for
const LAST = 1_000; // the place of what nobody has said anything of

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

/** Waits for an answer as long as it goes on: a slow network is borne, a silent one is not. */
class Patience {
  #giveUp = new AbortController();
  #timer = 0;

  constructor() {
    this.#begin();
  }

  /** Return what ends the fetch. */
  get signal() {
    return this.#giveUp.signal;
  }

  /** Return the bytes of an answer. @param {Response} response */
  blob(response) {
    const heard = new TransformStream({
      transform: (chunk, onward) => {
        this.#begin();
        onward.enqueue(chunk);
      },
    });
    const { headers } = response; // the blob's type is told by them
    return new Response(response.body?.pipeThrough(heard), { headers }).blob();
  }

  /** Wait for nothing any more. */
  end() {
    clearTimeout(this.#timer);
  }

  #begin() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp.abort(), SILENCE_MS);
  }
}

/** The images of the items to come. */
export class Images {
  /** @type {Map<string, Promise<HTMLImageElement>>} */
  #decoded = new Map();
  /** @type {Map<string, Promise<Blob>>} */
  #fetching = new Map();
  /** @type {Set<string>} addresses whose bytes were no image once */
  #spoilt = new Set();
  /** @type {{url: string, go: () => void, drop: () => void}[]} */
  #waiting = [];
  /** @type {Map<string, number>} places in the order in which images are wanted; those the rater waits for come first */
  #places = new Map();
  /** @type {Set<string>} those whose bytes are in the browser */
  #kept = new Set();
  #busy = 0;

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** Return the image, decoded; `urgent` goes before all that waits. @param {string} url @param {boolean} [urgent] */
  load(url, urgent = false) {
    if (urgent) this.#places.set(url, FIRST);
    let image = this.#decoded.get(url);
    if (!image) {
      const fresh = this.#decode(url);
      fresh.catch(() => this.#decoded.get(url) === fresh && this.#decoded.delete(url));
      this.#decoded.set(url, fresh);
      image = fresh;
    }
    return image;
  }

  /**
   * Decode some images and fetch the bytes of others, the first ones first, and free all the rest; a failure shows when
   * the image is loaded.
   * @param {string[]} near @param {string[]} far
   */
  want(near, far) {
    const urgent = [...this.#places].filter(([url, place]) => place === FIRST && this.#fetching.has(url));
    this.#places = new Map([...new Set([...near, ...far])].map((url, place) => [url, place]));
    for (const [url, place] of urgent) this.#places.set(url, place);
    const dropped = this.#waiting.filter(({ url }) => !this.#places.has(url));
    this.#waiting = this.#waiting.filter(({ url }) => this.#places.has(url));
    for (const { drop } of dropped) drop();
    this.#keepOnly(new Set(near));
    this.#kept = new Set([...this.#places.keys()].filter((url) => this.#kept.has(url)));
    const missing = far.filter((url) => !this.#kept.has(url));
    for (const coming of [...near.map((url) => this.load(url)), ...missing.map((url) => this.#blob(url))]) {
      coming.catch((error) => {
        if (!(error instanceof ImageFailure)) throw error;
      });
    }
  }

  /** Show an image in a place of its own, whatever is freed elsewhere. @param {HTMLImageElement} place @param {string} url */
  async showIn(place, url) {
    this.#places.set(url, FIRST);
    place.src = URL.createObjectURL(await this.#blob(url));
    try {
      await place.decode();
    } catch {
      throw new ImageFailure("broken", url);
    } finally {
      URL.revokeObjectURL(place.src);
    }
  }

  /** @param {Set<string>} wanted addresses of decoded images */
  #keepOnly(wanted) {
    for (const [url, loading] of this.#decoded) {
      if (wanted.has(url)) continue;
      this.#decoded.delete(url);
      loading.then((image) => image.isConnected || URL.revokeObjectURL(image.src), () => undefined);
    }
  }

  /** @param {string} url */
  async #decode(url) {
    for (let tries = 1; ; tries += 1) {
      const image = new Image();
      image.decoding = "sync";
      image.draggable = false;
      image.src = URL.createObjectURL(await this.#blob(url));
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
    this.#kept.delete(url);
    await orElse(this.store.dropImages([url]), undefined);
  }

  /** @param {string} url @returns {Promise<Blob>} */
  #blob(url) {
    let fetching = this.#fetching.get(url);
    if (!fetching) {
      const fresh = this.#keptOrFetched(url).finally(() => this.#fetching.get(url) === fresh && this.#fetching.delete(url));
      this.#fetching.set(url, fresh);
      fetching = fresh;
    }
    return fetching;
  }

  /** @param {string} url */
  async #keptOrFetched(url) {
    const kept = await orElse(this.store.image(url), undefined);
    if (kept) {
      this.#kept.add(url);
      return kept;
    }
    await this.#turn(url);
    try {
      const blob = await this.#fetchTried(url);
      if (await orElse(this.store.keepImage(url, blob), undefined)) this.#kept.add(url);
      return blob;
    } finally {
      this.#busy -= 1;
      this.#first()?.go();
    }
  }

  /** Wait until one of the few that are fetched at once may be this one; fail where it is wanted no more. @param {string} url */
  async #turn(url) {
    if (this.#busy < AT_ONCE) {
      this.#busy += 1;
      return;
    }
    await new Promise((resolve, reject) => {
      const go = () => {
        this.#busy += 1;
        resolve(undefined);
      };
      const drop = () => {
        this.#decoded.delete(url); // whoever wants it again from now on has it fetched
        this.#fetching.delete(url);
        reject(new ImageFailure("over", url));
      };
      this.#waiting.push({ url, go, drop });
    });
  }

  /** Take out the one that is wanted first of those that wait. */
  #first() {
    const place = (/** @type {{url: string}} */ { url }) => this.#places.get(url) ?? LAST;
    const [first] = [...this.#waiting].sort((a, b) => place(a) - place(b));
    this.#waiting = this.#waiting.filter((one) => one !== first);
    return first;
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
    const patience = new Patience();
    try {
      const cache = this.#spoilt.has(url) ? "reload" : "default";
      response = await fetch(url, { cache, signal: patience.signal });
      if (response.ok && (response.headers.get("Content-Type") ?? "").startsWith("image/")) return await patience.blob(response);
    } catch {
      throw new ImageFailure("network", url);
    } finally {
      patience.end();
    }
    if (response.status === 410) throw new ImageFailure("over", url);
    const isFinal = response.status !== 401 && response.status !== 429 && response.status < 500;
    const isOurs = (response.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
    throw new ImageFailure(isFinal && isOurs ? "broken" : "network", url); // a proxy's word on a photo is not the server's
  }
}
