/** What the page says around the photo: state, progress, sync, banner, dialogs. */

const SKELETON_MS = 150;
/** @type {Record<string, string>} */
const TITLES = {
  loading: "", ready: "", generating: "New photos are being made", empty: "Nothing to rate right now",
  paused: "Rating is paused", finished: "This study is finished", offline: "Waiting for the network",
  stopped: "Done for today", break: "Take your time",
};
/** @type {Record<string, string>} */
const RESTING = {
  stopped: "Thank you. All you rated is kept; you can close the page or go on.",
  break: "Your place is kept. Look at something far away for a while, then go on.",
};
/** @type {Record<Rest | "unkept", {text: string, stop: string}>} */
const NOTICES = {
  stopped: { text: "Today's target is reached. Go on or stop, as you like.", stop: "Stop for today" },
  break: { text: "You have rated for a good while. A short break keeps your eye fair.", stop: "Take a break" },
  unkept: { text: "This browser keeps no ratings when the page is closed. Leave it open until all are sent.", stop: "" },
};
const NOTICE_ITEMS = 5; // who goes on has answered

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
export const dialogById = (id) => /** @type {HTMLDialogElement} */ (document.getElementById(id));

/** The page's words. */
export class View {
  #bar = /** @type {HTMLProgressElement} */ (byId("progress"));
  #scores = /** @type {HTMLFieldSetElement} */ (byId("scores"));
  #skeleton = 0;
  /** @type {Progress} */
  #progress = { today: 0, target: 0, total: 0 };
  #reached = true;
  #kept = true; // what is not told, also when the page is closed
  #noticed = 0; // items that may still be shown under the notice

  /** @param {HTMLElement} main */
  constructor(main) {
    this.main = main;
  }

  /** Say a sentence to everyone, screen readers included. @param {string} text */
  say(text) {
    byId("status").textContent = text;
  }

  /** Show that an item is on its way: no layout moves, a skeleton only if it takes long. */
  expect() {
    clearTimeout(this.#skeleton);
    this.gate(false);
    this.#skeleton = setTimeout(() => this.state("loading", ""), SKELETON_MS);
  }

  /** Ask whether to stop, beside the photo; going on answers it. @param {keyof typeof NOTICES} why */
  notice(why) {
    const { text, stop } = NOTICES[why];
    byId("notice").hidden = false;
    byId("notice").dataset.why = why;
    byId("notice-text").textContent = text;
    byId("notice-stop").textContent = stop;
    byId("notice-stop").hidden = !stop;
    this.#noticed = NOTICE_ITEMS;
  }

  /** Take the notice away. */
  dismiss() {
    byId("notice").hidden = true;
  }

  /** Show that the photo is on the screen. */
  shown() {
    if ((this.#noticed -= 1) < 0) this.dismiss();
    clearTimeout(this.#skeleton);
    this.state("ready", "");
  }

  /** Say why there is no photo. @param {string} state @param {string} message */
  state(state, message) {
    clearTimeout(this.#skeleton);
    this.main.dataset.state = state;
    byId("message").hidden = !TITLES[state];
    byId("message-title").textContent = TITLES[state] ?? "";
    byId("message-text").textContent = RESTING[state] ?? message;
    byId("message-retry").textContent = RESTING[state] ? "Go on" : "Look again";
  }

  /** Tell whether the study of the next photos takes some of raters. @param {Next} turn */
  uploads({ uploads }) {
    this.main.dataset.uploads = uploads ? "on" : "off";
  }

  /** Let answers through or not. @param {boolean} open */
  gate(open) {
    this.main.dataset.gate = open ? "open" : "closed";
    if (this.#scores.disabled && !open) return;
    for (const input of this.#scores.querySelectorAll("input")) input.checked = false;
    if (open) this.#scores.disabled = false;
  }

  /** Grey the scores out while there is nothing to rate. */
  close() {
    this.#scores.disabled = true;
  }

  /** Show the rater's own progress; what waits in the outbox counts. @param {number} waiting @param {Progress} [progress] */
  progress(waiting, progress) {
    if (progress) this.#progress = progress;
    const { today, target } = this.#progress;
    const done = today + waiting;
    this.#bar.max = Math.max(1, target);
    this.#bar.value = Math.min(done, this.#bar.max);
    byId("today").textContent = target ? `${done} of ${target} today` : `${done} today`;
    if (target && done >= target && !this.#reached) this.notice("stopped");
    this.#reached = target === 0 || done >= target;
  }

  /** Show where the answers are, and say so once where closing the page loses them. @param {Outbox} outbox @param {boolean} online @param {number} ahead */
  sync({ state, pending, kept }, online, ahead) {
    const here = kept ? `${pending} saved here` : `${pending} lost if you close this page`;
    this.main.dataset.sync = state;
    this.main.dataset.pending = String(pending);
    const unread = kept ? "looking" : pending ? `sending ${pending}` : "sent; nothing is kept here";
    const words = { unread, saved: pending ? "saving" : "saved", waiting: `${here}, waiting for the network`, signin: `${here}: sign in again` };
    byId("sync-text").textContent = words[state];
    byId("banner").hidden = online && state !== "waiting";
    const left = ahead ? `You can go on: ${ahead} more are in this browser.` : "";
    byId("banner-text").textContent = `The server is out of reach. ${pending ? `${here}.` : ""} ${left}`;
    if (kept !== this.#kept) kept ? this.#withdraw("unkept") : this.notice("unkept");
    this.#kept = kept;
  }

  /** Take a notice away that holds no more. @param {keyof typeof NOTICES} why */
  #withdraw(why) {
    if (byId("notice").dataset.why === why) this.dismiss();
  }

  /** Show whether single keys are on. @param {boolean} on */
  keys(on) {
    byId("keys-toggle").setAttribute("aria-checked", String(on));
    this.main.classList.toggle("keys-off", !on);
  }

  /** Ask to sign in again; the page stays as it is. */
  askToSignIn() {
    if (!dialogById("session").open) dialogById("session").showModal();
  }
}
