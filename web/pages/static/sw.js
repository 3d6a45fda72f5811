/**
 * The service worker: lets the rating page be loaded again without network. It keeps the page and its static files,
 * asks the network first, and never touches answers of the API.
 */

const BASE = new URL(".", location.href).pathname; // it serves what lies in its own folder
const SHELL = BASE === "/" ? "palate-shell" : `palate-shell ${BASE}`; // caches are of the whole host
const PAGE = `${BASE}train`;
const PATIENCE_MS = 3_000; // a network that says nothing is none
const SILENCE_MS = 2_000; // and so is a cache
const LAST_MS = 20_000; // unless the network is gone, when there is nothing else to wait for
/** @type {Set<string>} pages that were given a copy once: they get all their files so, at once and of one time */
const copied = new Set();

/**
 * Return what the cache gives, or nothing where it is full, forbidden, broken or silent: it must never stand between the
 * page and the network.
 * @template T @param {Promise<T>} asked @param {number} [patience] @returns {Promise<T | undefined>}
 */
function orNothing(asked, patience = SILENCE_MS) {
  return Promise.race([asked.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, patience))]);
}

/** Answer from the network and keep a copy. @param {Cache | undefined} cache @param {Request} request @param {string} key */
async function fromNetwork(cache, request, key) {
  const response = await fetch(request);
  if (!cache) return response;
  if (response.ok) await orNothing(cache.put(key, response.clone()));
  else if (key === PAGE && response.status !== 503) await orNothing(cache.delete(PAGE)); // signed out: the page is not theirs any more
  return response;
}

/** Answer from the network; where that fails or is silent, with the copy. @param {Request} request @param {string} key @param {string} client */
async function networkFirst(request, key, client) {
  const opening = caches.open(SHELL), matching = opening.then((cache) => cache.match(key));
  const [cache, kept] = await Promise.all([orNothing(opening), orNothing(matching)]);
  if (kept && copied.has(client)) return kept;
  const asking = fromNetwork(cache, request, key);
  if (!kept) return asking.catch((gone) => late(matching, gone, client));
  const silence = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  const answer = await Promise.race([asking.catch(() => kept), silence]);
  if (answer === kept) copied.add(client);
  return answer;
}

/** Return the copy that did not come in time, or fail as the network did. @param {Promise<Response | undefined>} matching @param {unknown} gone @param {string} client */
async function late(matching, gone, client) {
  const kept = await orNothing(matching, LAST_MS);
  if (!kept) throw gone;
  copied.add(client);
  return kept;
}

/** Keep the page and exactly these static files. @param {string[]} urls */
async function keep(urls) {
  const cache = await caches.open(SHELL);
  const wanted = new Set([...urls, new URL(PAGE, location.origin).href]);
  for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
  for (const url of wanted) if (!(await cache.match(url))) await cache.add(url);
}

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (event) => event.waitUntil(keep(event.data.keep).catch(() => undefined)));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(networkFirst(request, PAGE, event.resultingClientId));
  else if (url.pathname.startsWith(`${BASE}static/`)) event.respondWith(networkFirst(request, request.url, event.clientId));
});
