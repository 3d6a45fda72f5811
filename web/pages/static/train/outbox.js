/**
 * The outbox: every answer and undo is kept in the browser first, then told to the server, in order, until it rules on it.
 *
 * @typedef {import("./store.js").Entry} Entry
 * @typedef {import("./store.js").Item} Item
 * @typedef {import("./wire.js").Answer} Answer
 * @typedef {import("./wire.js").Verdict} Verdict
 */

import { Failure } from "./wire.js";
import { orElse, StoreFailure } from "./store.js";

const BATCH = 100;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000; // a rater may be waiting for photos
const RULING_MS = 4_000; // so long a photo of the practice waits for what was expected
const REFUSED = new Set(["conflict", "invalid", "never_leased"]);

/** Return a wait that doubles with each try, with jitter. @param {number} tries @returns {number} milliseconds */
export function backOff(tries) {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries) * (0.5 + Math.random() / 2);
}

/** Return what an entry adds to the rater's count. @param {Entry} entry */
const gainOf = (entry) => (entry.kind === "answer" ? 1 : -1);

/** Run work while no other tab of this browser runs work of that name. @param {string} name @param {() => Promise<void>} work */
function exclusively(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}

/**
 * Tells the server what the rater said. Events: "change" (state or pending), "refused" (detail: message),
 * "progress" (detail: Progress), "ruled" (detail: Verdict), "told" (a batch went through).
 */
export class Outbox extends EventTarget {
  /** @type {Entry[]} what the browser refused to keep: lost with the page */
  #loose = [];
  /** @type {Entry[]} on their way into the browser's database */
  #writing = [];
  /** @type {Promise<void> | null} */
  #running = null;
  #again = false;
  #taken = 0; // entries taken in so far
  #tries = 0;
  #flows = false; // the last batch went through
  #limit = BATCH;
  #timer = 0;

  /** @param {import("./store.js").Store} store @param {import("./wire.js").Wire} wire */
  constructor(store, wire) {
    super();
    this.store = store;
    this.wire = wire;
    this.pending = 0; // entries not told yet
    this.gain = 0; // answers less undos among them
    this.batches = 0; // told so far
    /** @type {"saved"|"waiting"|"signin"} */
    this.state = "saved";
    addEventListener("online", () => this.flush(true));
    addEventListener("beforeunload", (event) => this.#loose.length && event.preventDefault());
  }

  /** Keep an answer; resolves once it is written, true if it will survive the page. @param {Answer} body @param {Item} item */
  answer(body, item) {
    const { rater } = this.store;
    /** @type {Entry} */
    const entry = { rater, kind: "answer", id: body.id, option_id: body.option_id, body };
    const answered = { rater, option_id: body.option_id, id: body.id, score: body.score ?? 0, item };
    return this.#keep(entry, this.store.addAnswer(entry, answered));
  }

  /** Keep an undo; resolves once it is written, true if it will survive the page. @param {string} id @param {string} option */
  undo(id, option) {
    /** @type {Entry} */
    const entry = { rater: this.store.rater, kind: "undo", id, option_id: option };
    return this.#keep(entry, this.store.addUndo(entry));
  }

  /** Return what the server says of an answer, or nothing if it takes long. @param {string} id @returns {Promise<Verdict | undefined>} */
  ruling(id) {
    return new Promise((resolve) => {
      const done = (/** @type {Verdict | undefined} */ verdict) => {
        this.removeEventListener("ruled", hear);
        resolve(verdict);
      };
      const hear = (/** @type {Event} */ event) => {
        const verdict = /** @type {CustomEvent} */ (event).detail;
        if (verdict.id === id) done(verdict);
      };
      this.addEventListener("ruled", hear);
      setTimeout(() => done(undefined), RULING_MS);
    });
  }

  /** @param {Entry} entry @param {Promise<unknown>} writing */
  async #keep(entry, writing) {
    let durable = true;
    this.#taken += 1;
    this.#writing.push(entry);
    this.#set(this.state, this.pending + 1, this.gain + gainOf(entry));
    try {
      await writing;
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      durable = false;
      this.#loose.push(entry);
    } finally {
      this.#writing.splice(this.#writing.indexOf(entry), 1);
    }
    void this.flush();
    return durable;
  }

  /** Tell the server all that is kept. While backing off only `force` tries at once. @param {boolean} [force] */
  flush(force = false) {
    if (this.#timer && !force) return Promise.resolve();
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#again = true;
    this.#running ??= this.#drain();
    return this.#running;
  }

  /** Resolve once some of what is kept was told, or cannot be; at once while all of it goes through. */
  async told() {
    const done = this.flush();
    if (this.#flows) return;
    await Promise.race([done, new Promise((resolve) => this.addEventListener("told", resolve, { once: true }))]);
  }

  async #drain() {
    try {
      while (this.#again) {
        this.#again = false;
        await exclusively(`palate-outbox-${this.store.rater}`, () => this.#tellAll());
        await this.#recount("saved");
      }
      this.#tries = 0;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#flows = false;
      await this.#recount(error.kind === "session" ? "signin" : "waiting");
      this.#timer = setTimeout(() => this.flush(true), Math.max(backOff(this.#tries), error.waitMs));
      this.#tries += 1;
    } finally {
      this.#running = null; // in one step with the last look at #again, so that nobody's wish to go on is missed
    }
  }

  async #tellAll() {
    for (let entries = await this.#head(); entries.length; entries = await this.#head()) {
      const first = entries[0];
      if (first.kind === "undo") await this.#tellUndo(first);
      else await this.#tellAnswers(entries);
      this.#flows = true;
      this.batches += 1;
      await this.#recount("saved");
      this.dispatchEvent(new Event("told"));
    }
  }

  async #head() {
    const kept = await orElse(this.store.head(BATCH), []);
    return [...kept, ...this.#loose].slice(0, BATCH);
  }

  /** @param {Entry} entry */
  async #tellUndo(entry) {
    try {
      const told = await this.wire.call("DELETE", `/api/train/rate/${entry.id}`);
      this.dispatchEvent(new CustomEvent("progress", { detail: told.progress }));
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== "refused") throw error;
      this.#refuse(error.message);
    }
    await this.#settle([entry], []);
  }

  /** Tell the leading run of answers. An envelope refused as a whole is halved until the bad answer stands alone. @param {Entry[]} entries */
  async #tellAnswers(entries) {
    const end = entries.findIndex((entry) => entry.kind === "undo");
    const run = entries.slice(0, Math.min(end < 0 ? entries.length : end, this.#limit));
    try {
      const told = await this.wire.call("POST", "/api/train/rate", { answers: run.map((entry) => entry.body) });
      await this.#settle(run, this.#judge(run, told.verdicts));
      this.dispatchEvent(new CustomEvent("progress", { detail: told.progress }));
      this.#limit = BATCH;
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== "refused") throw error;
      if (run.length === 1) {
        this.#refuse(error.message);
        await this.#settle(run, [run[0].option_id]);
      }
      this.#limit = run.length === 1 ? BATCH : Math.ceil(run.length / 2);
    }
  }

  /** Say what was refused and return the options that may be shown again. @param {Entry[]} run @param {Verdict[]} verdicts */
  #judge(run, verdicts) {
    const refused = verdicts.map((verdict, i) => ({ ...verdict, entry: run[i] })).filter((v) => REFUSED.has(v.verdict));
    for (const verdict of verdicts) this.dispatchEvent(new CustomEvent("ruled", { detail: verdict }));
    for (const verdict of refused) this.#refuse(verdict.detail || `The server says: ${verdict.verdict}.`);
    return refused.filter((v) => v.verdict === "invalid").map((v) => v.entry.option_id);
  }

  /** @param {Entry[]} entries @param {string[]} reopened */
  async #settle(entries, reopened) {
    this.#loose = this.#loose.filter((entry) => !entries.includes(entry));
    if (entries.some((entry) => entry.seq !== undefined)) await this.store.settle(entries, reopened);
  }

  /** @param {string} message */
  #refuse(message) {
    this.dispatchEvent(new CustomEvent("refused", { detail: message }));
  }

  /** Count what is not told yet, again where something came meanwhile, and say so. @param {"saved"|"waiting"|"signin"} state */
  async #recount(state) {
    let taken, writing, kept;
    do {
      [taken, writing] = [this.#taken, [...this.#writing]];
      kept = await orElse(this.store.head(), []);
    } while (taken !== this.#taken);
    const isKept = (/** @type {Entry} */ entry) => kept.some(({ id, kind }) => id === entry.id && kind === entry.kind);
    const untold = [...kept, ...this.#loose, ...writing.filter((entry) => !isKept(entry))];
    this.#set(state, untold.length, untold.reduce((sum, entry) => sum + gainOf(entry), 0));
  }

  /** @param {"saved"|"waiting"|"signin"} state @param {number} pending @param {number} gain */
  #set(state, pending, gain) {
    this.state = state;
    this.pending = pending;
    this.gain = gain;
    this.dispatchEvent(new Event("change"));
  }
}
