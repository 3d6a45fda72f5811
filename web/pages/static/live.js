/**
 * Keeps a page up to date: on a change that the server announces, the page is fetched again and its changed parts are
 * put in place. Without announcements it polls. What is old is greyed, and never taken away.
 *
 * A page marks what lives with `data-live` (and `data-events`, the address of the announcements, where there is one),
 * its parts with `data-part`, and the line that tells its age with `data-live-note`.
 */

import { isOurs } from "./server.js";

const DEBOUNCE = 600; // ms of quiet after a change, so that a burst of ratings is one fetch
const POLL = 10_000;
const AT_MOST = 60_000; // ms until a look in any case
const STALE = 45_000;

const root = /** @type {HTMLElement} */ (document.querySelector("[data-live]")); // without it nothing below runs
const note = document.querySelector("[data-live-note]");
let updated = Date.now();
let asked = Date.now();
let timer = 0;
let busy = false;
let announced = false;
/** @type {EventSource | null} */
let source = null;
let seen = root?.dataset.change;

/** The parts of a tree by name. @param {ParentNode} tree */
function partsOf(tree) {
  const parts = /** @type {NodeListOf<HTMLElement>} */ (tree.querySelectorAll("[data-part]"));
  return new Map([...parts].map((part) => [part.dataset.part, part]));
}

const REACHABLE = "a, button, summary, select, input, [tabindex]";

/**
 * Carry over what was open, scrolled and focused in a part to the one that takes its place; call the result then.
 * @param {HTMLElement} before @param {HTMLElement} after
 */
function keepPlace(before, after) {
  for (const details of before.querySelectorAll("details")) {
    if (!details.open) continue;
    const same = [...after.querySelectorAll("details")].find((one) => one.dataset.key === details.dataset.key);
    if (same) same.open = true;
  }
  const scrolled = [...before.querySelectorAll(".table-wrap")].map((box) => [box.scrollLeft, box.scrollTop]);
  const reachable = (/** @type {HTMLElement} */ part) =>
    [.../** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll(REACHABLE))];
  const focused = reachable(before).findIndex((one) => one === document.activeElement);
  return () => {
    [...after.querySelectorAll(".table-wrap")].forEach((box, i) => {
      if (scrolled[i]) [box.scrollLeft, box.scrollTop] = scrolled[i];
    });
    if (focused >= 0) reachable(after)[focused]?.focus({ preventScroll: true });
  };
}

/** The markup that the server sent for a part, without what the reader did to it. */
const sent = new WeakMap();
for (const part of root ? partsOf(root).values() : []) sent.set(part, part.outerHTML);

/** Put one part in another's place unless they are the same. @param {HTMLElement} before @param {HTMLElement} after */
function exchange(before, after) {
  const markup = after.outerHTML;
  if (sent.get(before) === markup) return;
  const settle = keepPlace(before, after);
  sent.set(after, markup);
  before.replaceWith(after);
  settle();
}

/** Bring the page to what was fetched. @param {Element} fresh */
function adopt(fresh) {
  const [old, now] = [partsOf(root), partsOf(fresh)];
  if (old.size === now.size && [...old.keys()].every((name) => now.has(name))) {
    for (const [name, part] of now) exchange(old.get(name) ?? part, part);
    return;
  }
  const settles = [];
  for (const [name, part] of now) {
    sent.set(part, part.outerHTML);
    const before = old.get(name);
    if (before) settles.push(keepPlace(before, part));
  }
  root.replaceChildren(...fresh.childNodes);
  for (const settle of settles) settle();
}

async function refresh() {
  if (busy) return later(DEBOUNCE);
  busy = true;
  asked = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!isOurs(page)) throw new Error("a proxy's own page");
    const fresh = page.querySelector("[data-live]");
    if (fresh) adopt(fresh);
    updated = Date.now();
  } catch {
    later(POLL); // offline, restarting or signed out: what is shown stays, greyed once it is old
  } finally {
    busy = false;
    tell();
  }
}

/** Look again after so many milliseconds. @param {number} delay */
function later(delay) {
  clearTimeout(timer);
  timer = setTimeout(refresh, delay);
}

function tell() {
  const age = Math.round((Date.now() - updated) / 1000);
  const stale = Date.now() - updated > (announced ? AT_MOST + STALE : STALE);
  root.classList.toggle("stale", stale);
  const words = age < 5 ? "just now" : age < 90 ? `${age} s ago` : `${Math.round(age / 60)} min ago`;
  if (note) note.textContent = stale ? `Updated ${words}; trying to reach the server` : `Updated ${words}`;
}

/** Hear of changes while the page is looked at: a hidden one must not keep a connection from the others. */
function listen() {
  source?.close();
  announced = false;
  if (document.hidden || !root.dataset.events) return;
  source = new EventSource(root.dataset.events);
  source.addEventListener("open", () => { announced = true; });
  source.addEventListener("error", () => { announced = false; });
  source.addEventListener("change", (event) => {
    const { change } = JSON.parse(event.data);
    if (change !== seen) later(DEBOUNCE);
    seen = change;
  });
}

if (root) {
  listen();
  setInterval(() => {
    if (!document.hidden && Date.now() - asked > (announced ? AT_MOST : POLL)) refresh();
    tell();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    listen();
    if (!document.hidden && Date.now() - asked > POLL) refresh();
  });
}
