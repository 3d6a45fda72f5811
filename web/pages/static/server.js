/** Where the server's places are, and what to say of an answer that is not the server's own but of something on the way. */

const BASE = new URL("..", import.meta.url).pathname.slice(0, -1); // this file is in the folder of static files

/** Return the address of one of the server's places, which may all be below a path. @param {string} path from the root, as in the code of the server */
export function placeOf(path) {
  return BASE + path;
}

/** Tell whether a page that was fetched is one of the server's own. @param {Document} page */
export function isOurs(page) {
  return page.querySelector("meta[name=csrf-token]") !== null;
}

/** Say what became of a request that something on the way answered: a proxy, which has pages of its own. @param {number} status */
export function strangersWords(status) {
  if (status === 413) {
    return "The proxy in front of Palate takes no files that big: ask the admin to raise its limit (client_max_body_size in nginx).";
  }
  if (status === 502 || status === 503) {
    return `The proxy in front of Palate does not reach it (${status}); it may be starting again. Try again in a minute.`;
  }
  if (status === 504) return "The proxy in front of Palate waited too long for it (504). Try again in a minute.";
  if (status === 500) return "The server answered 500.";
  return `Something on the way to Palate answered in its place, or cut its answer short (${status}). Try again, or tell the admin.`;
}
