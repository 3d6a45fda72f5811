/** Ids that are made here: of what is said, and of this tab. */

import { own, shared } from "./shelf.js";

const LAST_ID = "palate-last-id";
const TAB = "palate-tab";
const LEFT = "palate-tabs-left";
const MOST_LEFT = 20;

/** Return the time for a new id: later than any before in this browser, even where its clock was set back. */
function nextMoment() {
  const moment = Math.max(Date.now(), (Number(shared.get(LAST_ID)) || 0) + 1);
  shared.set(LAST_ID, String(moment));
  return moment;
}

/** Return a random id that sorts in the order of making (UUID version 7); works without a secure context. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = nextMoment();
  for (let i = 5; i >= 0; i -= 1, time = Math.floor(time / 256)) bytes[i] = time % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Hold a lock until this tab is closed; false where another tab holds it. @param {string} name @returns {Promise<boolean>} */
function hold(name) {
  return new Promise((resolve, reject) => {
    const holding = navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise(() => {}) : undefined;
    });
    holding.catch(reject);
  });
}

/**
 * Return this tab's token, in whose name it leases. No two open tabs have the same, and a tab that is opened takes that
 * of one that was closed or reloaded: it goes on with what was left there.
 */
export async function tabToken() {
  try {
    for (let place = 1; navigator.locks; place += 1) {
      const name = `${TAB}-${place}`;
      if (!(await hold(name))) continue;
      const id = shared.get(name) ?? newId();
      shared.set(name, id);
      return id;
    }
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // there are locks, but not for this page
  }
  return unlockedToken();
}

/**
 * Return the token where there are no locks, as on a connection that is not trusted: that of the page before in this tab
 * if that has laid it down, as every page does that leaves. A copy of an open tab finds none laid down.
 */
function unlockedToken() {
  const before = own.get(TAB) ?? "";
  const id = takeLeft(before) ? before : newId();
  own.set(TAB, id);
  addEventListener("pagehide", () => shared.set(LEFT, [id, ...left()].slice(0, MOST_LEFT).join(" ")));
  addEventListener("pageshow", (event) => event.persisted && !takeLeft(id) && location.reload());
  return id;
}

/** Return the tokens that lie there for those who come back. */
const left = () => (shared.get(LEFT) ?? "").split(" ");

/** Take a token up, and tell whether it lay there. @param {string} id */
function takeLeft(id) {
  const others = left().filter((one) => one !== id);
  if (!id || others.length === left().length) return false;
  shared.set(LEFT, others.join(" "));
  return true;
}
