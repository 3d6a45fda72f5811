/** Calls to the server: the one place that knows the tab, the CSRF token and what a failed call means. */

import { isOurs, placeOf, strangersWords } from "../server.js";

const TIMEOUT_MS = 15_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000; // a rater may be waiting for photos
const KEEPALIVE_BYTES = 30_000; // browsers cap what may outlive the page at 64 KiB in all

/** @type {Onboarding} */
export const NOTHING_DUE = { consent: false, guidelines: false, training: null };

/** Why a call gave nothing: no network, no session, the server asks for patience, or it refuses for good. */
export class Failure extends Error {
  /**
   * @param {"network"|"session"|"later"|"refused"} kind
   * @param {string} message
   * @param {number} [waitMs] how long the server asked to wait
   */
  constructor(kind, message, waitMs = 0) {
    super(message);
    this.kind = kind;
    this.waitMs = waitMs;
  }
}

/** Return a wait that doubles with each try, with jitter. @param {number} tries @param {number} [longest] @returns {number} milliseconds */
export function backOff(tries, longest = LONGEST_WAIT_MS) {
  return Math.min(longest, FIRST_WAIT_MS * 2 ** tries) * (0.5 + Math.random() / 2);
}

const SESSION = new Set(["unauthorized", "forbidden", "stale-page"]);

/** Return the JSON of an answer, or throw the Failure that it means. @param {number} status @param {string} text @param {string | null} retryAfter */
export function answerOf(status, text, retryAfter = null) {
  const said = parsed(text);
  if (status < 300 && said !== null) return said;
  throw failureOf(status, said, retryAfter);
}

/**
 * Return what a refused response means. The server's own word may be final; what something on the way answers is not, so
 * nothing is given up because of it.
 * @param {number} status @param {any} problem the body, or null where it is no JSON @param {string | null} retryAfter
 */
function failureOf(status, problem, retryAfter) {
  const said = String(problem?.detail ?? problem?.title ?? strangersWords(status));
  const slug = String(problem?.type ?? "").replace(/^.*\//, "");
  if (SESSION.has(slug)) return new Failure("session", said);
  if (!slug || status === 403 || status === 408 || status === 421 || status === 429 || status >= 500) {
    return new Failure("later", said, Number(retryAfter ?? 0) * 1000 || 0);
  }
  return new Failure("refused", said);
}

/** Read JSON; null if it is none. @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Return the text of an answer, or throw a Failure where it ends before its end. @param {Response} response */
async function textOf(response) {
  try {
    return await response.text();
  } catch {
    throw new Failure("network", "The answer was cut short.");
  }
}

/** The server, as this rater's tab talks to it. */
export class Wire {
  /** @param {string} rater @param {string} csrf @param {string} tab */
  constructor(rater, csrf, tab) {
    this.rater = rater;
    this.csrf = csrf;
    this.tab = tab;
  }

  /** Return the headers every call carries. */
  headers() {
    return { Accept: "application/json", "X-Tab": this.tab, "X-CSRF-Token": this.csrf };
  }

  /**
   * Call the server and return its JSON, or throw a Failure. A refused CSRF token is renewed once.
   * @param {"GET"|"POST"|"DELETE"} method @param {string} path @param {object} [body]
   */
  async call(method, path, body) {
    let response = await this.#send(method, path, body);
    if (response.status === 403 && method !== "GET") {
      await this.renew();
      response = await this.#send(method, path, body);
    }
    return this.#answer(response);
  }

  /** Return the JSON of a response, or throw the Failure that it means. @param {Response} response */
  async #answer(response) {
    return answerOf(response.status, await textOf(response), response.headers.get("Retry-After"));
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #send(method, path, body) {
    const text = body && JSON.stringify(body);
    const headers = { ...this.headers(), ...(text ? { "Content-Type": "application/json" } : {}) };
    const keepalive = method !== "GET" && (text?.length ?? 0) < KEEPALIVE_BYTES;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await fetch(placeOf(path), { method, body: text, headers, keepalive, signal });
    } catch {
      throw new Failure("network", "The server cannot be reached.");
    }
  }

  /** Sign in again, with the page as it is; throws a Failure with the reason where that fails. @param {string} email @param {string} password */
  async signIn(email, password) {
    const response = await this.#send("POST", "/api/v1/session", { email, password });
    const elsewhere = response.status === 403; // somebody signed in meanwhile, in another tab
    if (!response.ok && !elsewhere) await this.#answer(response);
    await this.renew();
  }

  /** Take a fresh CSRF token from the page; if somebody else is signed in by now, load the page as theirs. */
  async renew() {
    const response = await this.#send("GET", "/train");
    const isOwn = response.ok || (response.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
    if (!isOwn || response.status >= 500) await this.#answer(response);
    const page = new DOMParser().parseFromString(await textOf(response), "text/html");
    if (response.ok && !isOurs(page)) throw new Failure("later", strangersWords(response.status));
    const token = page.querySelector("meta[name=csrf-token]")?.getAttribute("content");
    if (!response.ok || response.redirected || !token) throw new Failure("session", "You are not signed in yet.");
    const rater = page.querySelector("main")?.dataset.rater;
    if (rater !== this.rater) location.reload();
    else this.csrf = token;
  }
}
