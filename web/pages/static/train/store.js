/**
 * What this browser keeps for one rater: the outbox and what was answered, in whatever tab; what each tab last leased;
 * the images of all that.
 *
 * @typedef {import("./wire.js").Answer} Answer
 * @typedef {import("./wire.js").Next} Next
 * @typedef {{experiment_id: string, option_id: string, image_url: string, width: number, height: number,
 *   source_url: string, source_width: number, source_height: number, practice?: boolean}} Item one option, ready to be
 *   shown; of one of the practice the rater is told what was expected
 * @typedef {{rater: string, option_id: string, id: string, score: number, item: Item}} Answered
 * @typedef {{seq?: number, rater: string, kind: "answer"|"undo", id: string, option_id: string,
 *   body?: Answer}} Entry one thing the server has to be told
 */

const REMEMBERED = 500; // answers remembered per rater: more than can be leased at once

/** The browser refused to keep or to give something back. */
export class StoreFailure extends Error {}

/** @param {IDBDatabase} db */
function lay(db) {
  db.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true }).createIndex("rater", "rater");
  db.createObjectStore("answered", { keyPath: ["rater", "option_id"] });
  db.createObjectStore("leases", { keyPath: ["rater", "tab"] });
  db.createObjectStore("images", { keyPath: ["rater", "url"] });
}

/** Return the keys of one rater in a store whose keys begin with the rater. @param {string} rater */
function keysOf(rater) {
  return IDBKeyRange.bound([rater], [rater, []]);
}

/** One rater's part of the browser's database. */
export class Store {
  /** @param {string} rater @param {string} tab @param {IDBDatabase | null} db null where the browser keeps nothing */
  constructor(rater, tab, db) {
    this.rater = rater;
    this.tab = tab;
    this.db = db;
  }

  /** Open the database; where the browser forbids it, return a store that refuses every write. @param {string} rater @param {string} tab */
  static async open(rater, tab) {
    /** @type {IDBDatabase | null} */
    const db = await new Promise((resolve) => {
      const request = indexedDB.open("palate-rater", 1);
      request.onupgradeneeded = () => lay(request.result);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    });
    return new Store(rater, tab, db);
  }

  /**
   * Run requests in one transaction and return the result of the one that `work` returns, once all is written. It is
   * committed in the same step as it is asked for: a tab that is closed right after a key has kept what was pressed.
   * @template T
   * @param {string[]} names @param {IDBTransactionMode} mode
   * @param {(tx: (name: string) => IDBObjectStore) => IDBRequest<T>} work
   * @returns {Promise<T>}
   */
  #run(names, mode, work) {
    return new Promise((resolve, reject) => {
      try {
        if (!this.db) throw new StoreFailure("This browser keeps no data for this page.");
        const tx = this.db.transaction(names, mode);
        const request = work((name) => tx.objectStore(name));
        tx.commit();
        tx.oncomplete = () => resolve(request.result);
        tx.onabort = () => reject(new StoreFailure(`The browser could not keep it: ${tx.error?.message}`));
      } catch (error) {
        reject(error instanceof StoreFailure ? error : new StoreFailure(String(error)));
      }
    });
  }

  /** Keep an answer for the server, and that its option is answered, in one write. @param {Entry} entry @param {Answered} answered */
  addAnswer(entry, answered) {
    return this.#run(["outbox", "answered"], "readwrite", (tx) => {
      tx("answered").put(answered);
      return tx("outbox").add(entry);
    });
  }

  /** Keep an undo for the server, and that its option is open again, in one write. @param {Entry} entry */
  addUndo(entry) {
    return this.#run(["outbox", "answered"], "readwrite", (tx) => {
      tx("answered").delete([this.rater, entry.option_id]);
      return tx("outbox").add(entry);
    });
  }

  /** Return the oldest entries still to be told. @param {number} [limit] @returns {Promise<Entry[]>} */
  head(limit) {
    return this.#run(["outbox"], "readonly", (tx) => tx("outbox").index("rater").getAll(this.rater, limit));
  }

  /** Drop entries the server has ruled on; options in `reopened` may be shown again. @param {Entry[]} entries @param {string[]} reopened */
  settle(entries, reopened) {
    return this.#run(["outbox", "answered"], "readwrite", (tx) => {
      for (const option of reopened) tx("answered").delete([this.rater, option]);
      for (const entry of entries) if (entry.seq !== undefined) tx("outbox").delete(entry.seq);
      return tx("outbox").index("rater").count(this.rater);
    });
  }

  /** Return what this rater answered here, oldest first, forgetting the oldest beyond a limit. */
  async answered() {
    /** @type {Answered[]} */
    const rows = await this.#run(["answered"], "readonly", (tx) => tx("answered").getAll(keysOf(this.rater)));
    rows.sort((a, b) => (a.id < b.id ? -1 : 1)); // ids are made in order, whatever the clock does
    const old = rows.splice(0, Math.max(0, rows.length - REMEMBERED));
    if (old.length) {
      await this.#run(["answered"], "readwrite", (tx) => {
        for (const row of old) tx("answered").delete([this.rater, row.option_id]);
        return tx("answered").count();
      });
    }
    return rows;
  }

  /** Return the options that this rater answered here, in whatever tab. @returns {Promise<Set<string>>} */
  async answeredOptions() {
    /** @type {IDBValidKey[]} */
    const keys = await this.#run(["answered"], "readonly", (tx) => tx("answered").getAllKeys(keysOf(this.rater)));
    return new Set(keys.map((key) => (Array.isArray(key) ? String(key[1]) : "")));
  }

  /** Keep what this tab was last told of `next`, for a reload without network. @param {Next} next */
  keepLeases(next) {
    return this.#run(["leases"], "readwrite", (tx) => tx("leases").put({ rater: this.rater, tab: this.tab, next }));
  }

  /** Return what this tab was last told of `next`, if anything. @returns {Promise<Next | undefined>} */
  async leases() {
    const row = await this.#run(["leases"], "readonly", (tx) => tx("leases").get([this.rater, this.tab]));
    return row?.next;
  }

  /** Keep an image's bytes. @param {string} url @param {Blob} blob */
  keepImage(url, blob) {
    return this.#run(["images"], "readwrite", (tx) => tx("images").put({ rater: this.rater, url, blob }));
  }

  /** Return an image's bytes, if kept. @param {string} url @returns {Promise<Blob | undefined>} */
  async image(url) {
    const row = await this.#run(["images"], "readonly", (tx) => tx("images").get([this.rater, url]));
    return row?.blob;
  }

  /** Drop the images that neither these addresses nor the leases of any tab name. @param {Set<string>} addresses */
  async pruneImages(addresses) {
    /** @type {{next: Next}[]} */
    const rows = await this.#run(["leases"], "readonly", (tx) => tx("leases").getAll(keysOf(this.rater)));
    const leased = rows.flatMap(({ next }) => next.experiments).flatMap((one) => [one.source_url, ...one.options.map((o) => o.image_url)]);
    const wanted = new Set([...addresses, ...leased]);
    /** @type {IDBValidKey[]} */
    const keys = await this.#run(["images"], "readonly", (tx) => tx("images").getAllKeys(keysOf(this.rater)));
    const stale = keys.map((key) => (Array.isArray(key) ? String(key[1]) : "")).filter((url) => !wanted.has(url));
    if (stale.length) await this.dropImages(stale);
  }

  /** Drop images. @param {string[]} urls */
  dropImages(urls) {
    return this.#run(["images"], "readwrite", (tx) => {
      for (const url of urls) tx("images").delete([this.rater, url]);
      return tx("images").count();
    });
  }
}

/**
 * Return what the store gives, or a stand-in when the browser keeps nothing.
 * @template T @param {Promise<T>} reading @param {T} otherwise @returns {Promise<T>}
 */
export async function orElse(reading, otherwise) {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StoreFailure) return otherwise;
    throw error;
  }
}
