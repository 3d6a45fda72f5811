/** The outbox: every answer and undo is kept in the browser first, then told to the server, in order, until it rules on it. */

import { newId } from "./ids.js";
import { orElse } from "./store.js";
import { backOff, Failure } from "./wire.js";

const BATCH = 100;
const RULING_MS = 4_000; // so long a photo of the practice waits for what was expected
const REFUSED = new Set(["conflict", "invalid", "never_leased"]);

/** Run work while no other tab of this browser runs work of that name, where there are locks. @param {string} name @param {() => Promise<void>} work */
async function exclusively(name, work) {
  let begun = false;
  try {
    if (navigator.locks) return await navigator.locks.request(name, () => ((begun = true), work()));
  } catch (error) {
    if (begun || !(error instanceof DOMException)) throw error; // else there are locks, but not for this page
  }
  return work();
}

/**
 * Tells the server what the rater said. Events: "change" (state or pending), "refused" (detail: message),
 * "progress" (detail: Progress), "ruled" (detail: Verdict), "told" (a batch went through).
 */
export class Outbox extends EventTarget {
  /** @type {Map<string, Entry>} all that is known not to be told, by `seq`, the oldest first */
  #untold = new Map();
  /** @type {Set<string>} on its way into the browser's database */
  #writing = new Set();
  /** @type {Set<string>} what that may not hold: lost with the page */
  #loose = new Set();
  /** @type {Set<string>} what it may hold although it was told */
  #ruled = new Set();
  /** @type {boolean | null} whether it could be read; null before the first look */
  #read = null;
  #refused = false; // it did not take the last entry
  /** @type {Promise<void> | null} */
  #running = null;
  #again = false;
  #turns = 0; // what may have changed what a look finds: entries taken in, and the database itself
  #tries = 0;
  #flows = false; // the last batch went through
  #limit = BATCH;
  #timer = 0;

  /** @param {Store} store @param {Wire} wire */
  constructor(store, wire) {
    super();
    this.store = store;
    this.wire = wire;
    this.batches = 0; // told so far
    /** @type {"unread"|"saved"|"waiting"|"signin"} saved: nothing is left, as far as the browser's database could be read */
    this.state = "unread";
    addEventListener("online", () => this.flush(true));
    addEventListener("beforeunload", (event) => this.#loose.size && event.preventDefault());
    store.addEventListener("turn", () => void this.#recover());
  }

  /** Return how many entries are known not to be told yet. */
  get pending() {
    return this.#untold.size;
  }

  /** Return answers less undos among them. */
  get gain() {
    return [...this.#untold.values()].reduce((sum, { kind }) => sum + (kind === "answer" ? 1 : -1), 0);
  }

  /** Tell whether this browser keeps what is not told, also when the page is closed. */
  get kept() {
    return this.#read !== false && !this.#refused && !this.#loose.size;
  }

  /** Keep an answer; resolves once it is written, true if it will survive the page. @param {Answer} body @param {Item} item */
  answer(body, item) {
    const { rater } = this.store;
    /** @type {Entry} */
    const entry = { seq: body.id, rater, kind: "answer", id: body.id, option_id: body.option_id, body };
    const answered = { rater, option_id: body.option_id, id: body.id, score: body.score ?? 0, item };
    return this.#keep(entry, this.store.addAnswer(entry, answered));
  }

  /** Keep an undo; resolves once it is written, true if it will survive the page. @param {string} id @param {string} option */
  undo(id, option) {
    /** @type {Entry} */
    const entry = { seq: newId(), rater: this.store.rater, kind: "undo", id, option_id: option };
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
    const { seq } = entry;
    this.#turns += 1;
    this.#untold.set(seq, entry);
    this.#writing.add(seq);
    this.#set(this.state);
    const kept = await orElse(writing.then(() => true), false);
    this.#writing.delete(seq);
    this.#refused = !kept;
    if (!kept) this.#loose.add(seq);
    void this.flush();
    return kept;
  }

  /** The database was closed, lost or is there again: whether it holds what is known here is unknown, so it is written anew. */
  async #recover() {
    const entries = [...this.#untold.values()];
    for (const { seq } of entries) this.#loose.add(seq);
    this.#turns += 1;
    this.#refused = !(await orElse(this.store.hold(entries).then(() => true), false));
    await this.flush(true);
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
        this.#set("saved");
      }
      this.#tries = 0;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#flows = false;
      this.#set(error.kind === "session" ? "signin" : "waiting");
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
      this.#set("saved");
      this.dispatchEvent(new Event("told"));
    }
  }

  /** Return the oldest entries to be told. */
  async #head() {
    await this.#look();
    return [...this.#untold.values()].filter(({ seq }) => !this.#writing.has(seq)).slice(0, BATCH);
  }

  /** Read what is to be told, again where something came meanwhile; what cannot be read stays as it is known. */
  async #look() {
    let turns, unsure, kept;
    do {
      [turns, unsure] = [this.#turns, [...this.#writing, ...this.#loose]];
      kept = await orElse(this.store.untold(), null);
    } while (turns !== this.#turns);
    this.#read = kept !== null;
    if (kept) this.#compare(kept, unsure);
  }

  /** Take up what the database holds, and keep what it may not hold. @param {Entry[]} kept @param {string[]} unsure */
  #compare(kept, unsure) {
    const own = unsure.flatMap((seq) => this.#untold.get(seq) ?? []);
    const there = new Map(kept.map((entry) => [entry.seq, entry]));
    this.#ruled = new Set([...this.#ruled].filter((seq) => there.has(seq)));
    for (const seq of there.keys()) this.#loose.delete(seq);
    const all = [...kept.filter(({ seq }) => !this.#ruled.has(seq)), ...own];
    all.sort((a, b) => (a.seq < b.seq ? -1 : 1)); // ids are made in order
    this.#untold = new Map(all.map((entry) => [entry.seq, entry]));
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
    for (const { seq } of entries) {
      this.#untold.delete(seq);
      this.#loose.delete(seq);
      this.#ruled.add(seq); // until it is known to be gone: else it would be told again and again
    }
    await orElse(this.store.settle(this.#ruled, reopened), undefined);
  }

  /** @param {string} message */
  #refuse(message) {
    this.dispatchEvent(new CustomEvent("refused", { detail: message }));
  }

  /** @param {"unread"|"saved"|"waiting"|"signin"} state */
  #set(state) {
    this.state = state === "saved" && !this.#read ? "unread" : state;
    this.dispatchEvent(new Event("change"));
  }
}
