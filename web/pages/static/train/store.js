/**
 * What this browser keeps for one rater: the outbox and what was answered, in whatever tab; what each tab last leased;
 * the images of all that.
 */

const NAME = "palate-rater";
const REMEMBERED = 500; // answers remembered per rater: more than can be leased at once
const SILENCE_MS = 2_000; // a database that says nothing for so long is none
const FIRST_WAIT_MS = 500; // until one that was lost is looked for again: some are closed and there again at once
const LONGEST_WAIT_MS = 15_000;
const REFUSALS = new Set(["QuotaExceededError", "DataCloneError"]); // it is there, and does not take this

/** The browser refused to keep or to give something back, or did not say: what it keeps is then unknown, not nothing. */
export class StoreFailure extends Error {}

/** @param {IDBDatabase} db */
function lay(db) {
  db.createObjectStore("outbox", { keyPath: "seq" }).createIndex("rater", "rater");
  db.createObjectStore("answered", { keyPath: ["rater", "option_id"] });
  db.createObjectStore("leases", { keyPath: ["rater", "tab"] });
  db.createObjectStore("images", { keyPath: ["rater", "url"] });
}

/** Return the keys of one rater in a store whose keys begin with the rater. @param {string} rater */
function keysOf(rater) {
  return IDBKeyRange.bound([rater], [rater, []]);
}

/**
 * Return what work comes to, or fail once it was silent for long.
 * @template T @param {(resolve: (value: T) => void, reject: (reason: unknown) => void) => void} work @returns {Promise<T>}
 */
function inTime(work) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new StoreFailure("The browser's database does not answer.")), SILENCE_MS);
    work(resolve, reject);
  });
}

/**
 * One rater's part of the browser's database. A connection that dies is opened anew and asked again; where that does not
 * help, all is refused at once until the database is there again. Event: "turn" (what it holds is unknown from here on).
 */
export class Store extends EventTarget {
  /** @type {IDBDatabase | null} */
  #db = null;
  /** @type {Promise<IDBDatabase> | null} */
  #opening = null;
  #lost = false;
  #wait = FIRST_WAIT_MS;

  /** @param {string} rater @param {string} tab */
  constructor(rater, tab) {
    super();
    this.rater = rater;
    this.tab = tab;
  }

  #open() {
    this.#opening ??= this.#opened().finally(() => { this.#opening = null; });
    return this.#opening;
  }

  /** @returns {Promise<IDBDatabase>} */
  async #opened() {
    try {
      return await inTime((resolve, reject) => {
        const request = indexedDB.open(NAME, 1);
        request.onupgradeneeded = () => lay(request.result);
        request.onsuccess = () => resolve(this.#take(request.result)); // also where nobody waits for it any more
        request.onerror = request.onblocked = reject;
      });
    } catch {
      throw new StoreFailure("The browser gives no database."); // forbidden, broken, held back or silent
    }
  }

  /** @param {IDBDatabase} db */
  #take(db) {
    db.onclose = db.onversionchange = () => this.#drop(db);
    if (this.#db) db.close();
    this.#db ??= db;
    return this.#db;
  }

  /** Use a connection no more. @param {IDBDatabase | null} db */
  #drop(db) {
    db?.close();
    if (!db || this.#db !== db) return;
    this.#db = null;
    if (!this.#lost) this.#turn(false);
  }

  #lose() {
    setTimeout(() => void this.#find(), this.#wait);
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
    if (!this.#lost) this.#turn(true);
  }

  /** Look whether the database is there again: one that opens need not answer. */
  async #find() {
    try {
      await this.#ask(this.#db ?? (await this.#open()), ["outbox"], "readonly", (tx) => tx("outbox").count());
      this.#wait = FIRST_WAIT_MS;
      this.#turn(false);
    } catch {
      this.#drop(this.#db);
      this.#lose();
    }
  }

  /** @param {boolean} lost */
  #turn(lost) {
    this.#lost = lost;
    this.dispatchEvent(new Event("turn"));
  }

  /**
   * Run requests in one transaction and return the result of the one that `work` returns, once all is written; on a new
   * connection where that dies, so work must bear to be done twice.
   * @template T
   * @param {string[]} names @param {IDBTransactionMode} mode
   * @param {(tx: (name: string) => IDBObjectStore) => IDBRequest<T>} work
   * @returns {Promise<T>}
   */
  async #run(names, mode, work) {
    for (let tries = 0; !this.#lost; tries += 1) {
      /** @type {IDBDatabase | null} */
      let db = this.#db;
      try {
        db ??= await this.#open();
        return await this.#ask(db, names, mode, work);
      } catch (error) {
        if (!(error instanceof DOMException || error instanceof StoreFailure)) throw error;
        if (REFUSALS.has(error.name)) throw new StoreFailure(error.name);
        this.#drop(db);
        if ((tries || !db) && !this.#lost) this.#lose();
      }
    }
    throw new StoreFailure("The browser's database is away.");
  }

  /**
   * It is committed in the same step as it is asked for: a tab that is closed right after a key has kept what was pressed.
   * @template T
   * @param {IDBDatabase} db @param {string[]} names @param {IDBTransactionMode} mode
   * @param {(tx: (name: string) => IDBObjectStore) => IDBRequest<T>} work
   * @returns {Promise<T>}
   */
  #ask(db, names, mode, work) {
    return inTime((resolve, reject) => {
      const tx = db.transaction(names, mode);
      const request = work((name) => tx.objectStore(name));
      tx.commit();
      tx.oncomplete = () => resolve(request.result);
      tx.onabort = () => reject(tx.error ?? new StoreFailure("The browser broke it off."));
    });
  }

  /** Keep an answer for the server, and that its option is answered, in one write. @param {Entry} entry @param {Answered} answered */
  addAnswer(entry, answered) {
    return this.#run(["outbox", "answered"], "readwrite", (tx) => {
      tx("answered").put(answered);
      return tx("outbox").put(entry);
    });
  }

  /** Keep an undo for the server, and that its option is open again, in one write. @param {Entry} entry */
  addUndo(entry) {
    return this.#run(["outbox", "answered"], "readwrite", (tx) => {
      tx("answered").delete([this.rater, entry.option_id]);
      return tx("outbox").put(entry);
    });
  }

  /** Write down anew what the server has to be told. @param {Entry[]} entries */
  hold(entries) {
    return this.#run(["outbox"], "readwrite", (tx) => {
      for (const entry of entries) tx("outbox").put(entry);
      return tx("outbox").count();
    });
  }

  /** Return the entries still to be told, the oldest first. @returns {Promise<Entry[]>} */
  untold() {
    return this.#run(["outbox"], "readonly", (tx) => tx("outbox").index("rater").getAll(this.rater));
  }

  /** Drop entries the server has ruled on; options in `reopened` may be shown again. @param {Iterable<string>} ruled @param {string[]} reopened */
  settle(ruled, reopened) {
    return this.#run(["outbox", "answered"], "readwrite", (tx) => {
      for (const option of reopened) tx("answered").delete([this.rater, option]);
      for (const seq of ruled) tx("outbox").delete(seq);
      return tx("outbox").count();
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
