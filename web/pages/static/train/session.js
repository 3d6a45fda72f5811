/** A rater at work: which item is on, what was answered, what can be undone, when to lease more. */

import { newId } from "./ids.js";
import { ImageFailure } from "./images.js";
import { Rounds } from "./rounds.js";
import { orElse } from "./store.js";
import { Failure, NOTHING_DUE } from "./wire.js";

const UNDO_DEPTH = 20;
const RENEW_MS = 2 * 60_000; // a lease lasts ten minutes, and goes to another tab once it was left alone for five
const POLL_MS = 3_000;
const SLOWEST_POLL_MS = 15_000;
const SILENCE_MS = 3_000; // a network that says nothing is none
const NO_REMARKS = { tags: [], comment: "", flagged: false };

/**
 * Events: "item" (current changed), "painted" (it is on the screen), "state" (nothing to show: detail {state, message}),
 * "answered" (detail {option_id, score} or score 0 when open again), "say" (detail: sentence), "progress", "online", "failed",
 * "study" (detail: Study or null), "letter" (detail: a turn, which may bring a message), "admitted" (nothing is due), "due" (something must be done before photos are shown: detail Onboarding), "waiting" (for what was
 * expected of a photo of the practice), "lesson" (detail: Lesson).
 */
export class Session extends EventTarget {
  /** @type {Item | null} */
  current = null;
  /** @type {Sight | null} */
  sight = null;
  /** @type {Map<string, Given>} */
  answered = new Map();
  /** @type {{id: string, item: Item}[]} */
  history = [];
  /** @type {Onboarding} */
  onboarding = NOTHING_DUE;
  study = ""; // the one that is on, as far as the server said
  #asked = false; // whether something is due before the first photo
  #sequence = 0;
  #idle = 0;
  #rounds;
  /** @type {Set<string>} options whose image could not be had although the server answers */
  #unloaded = new Set();

  /**
   * @param {Outbox} outbox @param {Queue} queue
   * @param {Images} images @param {Attention} attention
   * @param {() => Promise<Onboarding>} whatIsDue asks before the first lease; throws a Failure
   * @param {(item: Item, image: HTMLImageElement) => Promise<Sight>} paint
   */
  constructor(outbox, queue, images, attention, whatIsDue, paint) {
    super();
    this.whatIsDue = whatIsDue;
    this.attention = attention;
    this.outbox = outbox;
    this.queue = queue;
    this.images = images;
    this.paint = paint;
    this.#rounds = new Rounds(outbox, () => this.#ask(), (failure) => this.#unreached(failure));
  }

  /** Take up what this browser remembers, then lease and show. */
  async start() {
    for (const row of await orElse(this.outbox.store.answered(), [])) {
      this.answered.set(row.option_id, { id: row.id, score: row.score });
      this.history.push({ id: row.id, item: row.item });
    }
    this.history = this.history.slice(-UNDO_DEPTH);
    const silence = setTimeout(() => void this.#goOnWithKept(), SILENCE_MS);
    await this.#rounds.start();
    clearTimeout(silence);
  }

  /** @param {string} name @param {unknown} [detail] */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Tell what is kept, lease more, and show the next item if none is on. @param {boolean} [force] also while backing off */
  lease(force = false) {
    return this.#rounds.go(force);
  }

  /** Lease more, or find out what is due first; return how long to wait before asking again. */
  async #ask() {
    if (await this.#mustWait()) return null;
    const { batches } = this.outbox;
    const next = await this.queue.lease((option) => this.#taken(option), this.outbox.pending);
    this.#emit("online", true);
    if (batches === this.outbox.batches) this.#emit("progress", next.progress); // else counted before what was told since
    const wait = this.#leased(next);
    await this.queue.prune([...this.history.map(({ item }) => item), ...(this.current ? [this.current] : [])]);
    return wait;
  }

  /** Show what was leased and return how long to wait before asking again. @param {Next} next */
  #leased(next) {
    if (this.#rounds.resting) return RENEW_MS;
    this.queue.prefetch(this.current);
    this.#emit("letter", next);
    if (this.#heed(next)) return RENEW_MS;
    if (!this.current && this.queue.length) void this.advance();
    else if (!this.current) this.#emit("state", { ...next, state: next.state === "ready" ? "loading" : next.state });
    this.#idle = this.queue.short ? this.#idle + 1 : 0;
    return this.queue.short ? Math.min(SLOWEST_POLL_MS, POLL_MS * this.#idle) : RENEW_MS;
  }

  /** Go on with what was leased before, as long as it lasts. @param {Failure} failure */
  async #unreached(failure) {
    this.#emit(failure.kind === "session" ? "failed" : "online", failure.kind === "session" ? failure : false);
    if (!(await this.#goOnWithKept())) this.#emit("state", { state: failure.kind === "refused" ? "empty" : "offline", message: failure.message });
  }

  /** Show what was leased before, also before a reload, if nothing is on; tell whether there was something. */
  async #goOnWithKept() {
    const kept = this.current || this.queue.length ? undefined : await this.queue.restore((option) => this.#taken(option));
    if (this.current || this.#rounds.resting || (kept && this.#heed(kept))) return true;
    if (this.queue.length) void this.advance();
    return this.queue.length > 0 || this.current !== null;
  }

  /** Ask once, before anything is leased, whether something must be done first. */
  async #mustWait() {
    if (!this.#asked) {
      this.onboarding = await this.whatIsDue();
      this.#asked = true;
      this.#emit("online", true);
    }
    return this.#isDue();
  }

  /** Take in what is due, and tell whether no photo may be shown before. @param {Next} next */
  #heed({ study, onboarding }) {
    this.onboarding = onboarding ?? NOTHING_DUE;
    const free = !this.onboarding.consent && !this.onboarding.guidelines;
    this.#turnTo((free && this.current?.study) || study);
    if (free) this.#emit("admitted");
    return this.#isDue();
  }

  /** Go by the guide of a study: of the photo that is on, which may be an earlier one that was taken back. @param {Study | null | undefined} study */
  #turnTo(study) {
    this.study = study?.id ?? "";
    this.#emit("study", study ?? null);
  }

  /** Tell whether something must be done before photos are shown; the one that is on is put away. */
  #isDue() {
    const { consent, guidelines } = this.onboarding;
    if (!consent && !guidelines) return false;
    if (this.current) this.queue.putBack(this.current);
    this.current = this.sight = null;
    this.#emit("due", this.onboarding);
    return true;
  }

  /** Go on now that less is due. @param {Onboarding} due */
  admit(due) {
    this.onboarding = due;
    this.#asked = true;
    return this.lease(true);
  }

  /** @param {string} option */
  #taken(option) {
    return this.answered.has(option) || this.current?.option_id === option;
  }

  /** Show the next item. */
  async advance() {
    this.sight = null;
    this.current = this.queue.take() ?? null;
    if (this.current?.study && this.current.study.id !== this.study) this.#turnTo(this.current.study);
    this.#emit("item", this.current);
    if (this.current) await this.#show(this.current);
    else this.#emit("state", { state: "loading", message: "" });
    if (this.queue.short) void this.lease();
  }

  /** @param {Item} item */
  async #show(item) {
    try {
      const image = await this.images.load(item.image_url, true);
      if (this.current !== item) return;
      const sight = await this.paint(item, image);
      if (this.current !== item) return;
      this.sight = sight;
      this.#emit("painted", item);
      this.queue.prefetch(item);
    } catch (error) {
      if (!(error instanceof ImageFailure)) throw error;
      if (this.current === item) await this.#notLoaded(item, error);
    }
  }

  /** Skip an image that cannot be had, or pass over one whose lease is over or that may come later; without network, wait. @param {Item} item @param {ImageFailure} failure */
  async #notLoaded(item, failure) {
    if (failure.kind === "network" && !(await this.queue.reachable((option) => this.#taken(option)))) {
      this.queue.putBack(item);
      this.current = null;
      this.#emit("item", null);
      this.#emit("state", { state: "offline", message: "The next photo is not in this browser yet." });
      return;
    }
    if (this.current !== item) return;
    const tried = this.#unloaded.has(item.option_id);
    this.#unloaded.add(item.option_id);
    if (failure.kind === "broken" || (failure.kind === "network" && tried)) {
      void this.#keep(item, { skip: "not_loaded" }, null, NO_REMARKS);
      this.#emit("say", "A photo did not load and was skipped.");
    }
    await this.advance();
  }

  /** Show nothing and hold no lease longer than it lasts, until the rater wishes to go on. @param {Rest} why */
  rest(why) {
    this.#rounds.rest();
    if (this.current) this.queue.putBack(this.current);
    this.current = this.sight = null;
    this.#emit("item", null);
    this.#emit("state", { state: why, message: "" });
  }

  /** Look for photos again, also after a rest. */
  resume() {
    this.#rounds.wake();
    this.attention.rest();
    return this.lease(true);
  }

  /** Judge the current item and show the next. @param {Judgement} judgement @param {Remarks} remarks @param {string} said */
  judge(judgement, remarks, said) {
    const item = this.current;
    if (!item || !this.sight) return;
    void this.answer(item, judgement, this.sight, remarks, said);
  }

  /**
   * Judge any item that was seen; what was said of it before is undone.
   * @param {Item} item @param {Judgement} judgement @param {Sight} sight @param {Remarks} remarks @param {string} said
   */
  async answer(item, judgement, sight, remarks, said) {
    const before = this.answered.get(item.option_id);
    if (before) void this.#takeBack(before.id, item.option_id);
    const { id, durable } = this.#keep(item, judgement, sight, remarks);
    this.history = [...this.history.filter((past) => past.item.option_id !== item.option_id), { id, item }].slice(-UNDO_DEPTH);
    this.queue.drop(item.option_id);
    if (this.current?.option_id === item.option_id) void (item.practice ? this.#learn(id, item) : this.advance());
    const kept = await durable;
    this.#emit("say", kept ? said : "This browser cannot keep ratings. Leave the page open until all are sent.");
  }

  /** Keep a photo of the practice until it is known what was expected of it; without network, go on. @param {string} id @param {Item} item */
  async #learn(id, item) {
    this.sight = null;
    this.#emit("waiting");
    const ruling = await this.outbox.ruling(id);
    const given = this.answered.get(item.option_id);
    if (this.current !== item || given?.id !== id) return; // taken back meanwhile
    const { training } = this.onboarding;
    if (!ruling?.right || !training) return void this.advance();
    training.done += 1;
    if (!given.score) return void this.advance();
    this.#emit("lesson", { score: given.score, right: ruling.right, ...training });
  }

  /** Hand an answer to the outbox. @param {Item} item @param {Judgement} judgement @param {Sight | null} sight @param {Remarks} remarks */
  #keep(item, judgement, sight, remarks) {
    const id = newId();
    const score = "score" in judgement ? judgement.score : 0;
    this.answered.set(item.option_id, { id, score });
    this.#sequence += 1;
    const seen = { painted_at: (sight?.paintedAt ?? new Date()).toISOString(), seen_ms: sight?.seenMs() ?? 0 };
    const body = { id, option_id: item.option_id, ...judgement, ...remarks, client_seq: this.#sequence, ...seen };
    const durable = this.outbox.answer(body, item);
    this.#emit("answered", { option_id: item.option_id, score });
    return { id, durable };
  }

  /** @param {string} id @param {string} option */
  #takeBack(id, option) {
    this.answered.delete(option);
    return this.outbox.undo(id, option);
  }

  /** Take the last answer back and show its item again. */
  async undo() {
    this.#rounds.wake();
    const last = this.history.pop();
    if (!last) return this.#emit("say", "Nothing to undo.");
    if (this.current) this.queue.putBack(this.current);
    this.queue.putBack(last.item);
    const kept = this.#takeBack(last.id, last.item.option_id);
    this.#emit("answered", { option_id: last.item.option_id, score: 0 });
    void this.advance();
    await kept;
    return this.#emit("say", "Taken back. Rate it again.");
  }
}
