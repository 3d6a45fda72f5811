/**
 * Calls to the server: the one place that knows the tab, the CSRF token and what a failed call means.
 *
 * @typedef {{today: number, target: number, total: number}} Progress
 * @typedef {{option_id: string, image_url: string, width: number, height: number}} Option
 * @typedef {{experiment_id: string, lease_until?: string, practice?: boolean, source_url: string, source_width: number,
 *   source_height: number, options: Option[]}} Experiment
 * @typedef {{state: "ready"|"generating"|"empty"|"paused"|"finished", message: string, progress: Progress,
 *   onboarding: Onboarding, from_admin: Letter | null, study: {id: string, name: string} | null, experiments: Experiment[]}} Next
 * @typedef {{consent: boolean, guidelines: boolean, training: {done: number, of: number} | null}} Onboarding what is due
 * @typedef {{words: string, at: string}} Letter what an admin wrote to the rater
 * @typedef {{id: string, verdict: string, detail?: string, right?: [number, number] | null}} Verdict
 * @typedef {{id: string, option_id: string, score?: number, skip?: string, tags: string[], comment: string,
 *   flagged: boolean, client_seq: number, painted_at: string, seen_ms: number}} Answer
 * @typedef {{state: "ready"|"generating"|"void", experiment_id: string, message?: string, watch?: string,
 *   done?: number, of?: number}} UploadState
 */

import { isOurs, placeOf, strangersWords } from "../server.js";

const LAST_ID = "palate-last-id";
const TIMEOUT_MS = 15_000;
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
  const said = problem?.detail ?? problem?.title ?? strangersWords(status);
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

/** Return the time for a new id: later than any before in this browser, even where its clock was set back. */
function nextMoment() {
  const moment = Math.max(Date.now(), Number(localStorage.getItem(LAST_ID)) + 1);
  localStorage.setItem(LAST_ID, String(moment));
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

/** Return the id under a name, made at the first look. @param {Storage} storage @param {string} name */
function idIn(storage, name) {
  const id = storage.getItem(name) ?? newId();
  storage.setItem(name, id);
  return id;
}

/** Hold a lock until this tab is closed; false where another tab holds it. @param {string} name @returns {Promise<boolean>} */
function hold(name) {
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}

/**
 * Return this tab's token, in whose name it leases. No two open tabs have the same, and a tab that is opened takes that
 * of one that was closed or reloaded: it goes on with what was left there.
 */
export async function tabToken() {
  if (!navigator.locks) return idIn(sessionStorage, "palate-tab"); // only where the connection is trusted
  for (let place = 1; ; place += 1) {
    const name = `palate-tab-${place}`;
    if (await hold(name)) return idIn(localStorage, name);
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
    /** @type {string} */
    let text;
    try {
      text = await response.text();
    } catch (error) {
      throw new Failure("network", `The answer was cut short: ${error}`);
    }
    return answerOf(response.status, text, response.headers.get("Retry-After"));
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #send(method, path, body) {
    const text = body && JSON.stringify(body);
    const headers = { ...this.headers(), ...(text ? { "Content-Type": "application/json" } : {}) };
    const keepalive = method !== "GET" && (text?.length ?? 0) < KEEPALIVE_BYTES;
    try {
      return await fetch(placeOf(path), { method, body: text, headers, keepalive, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      throw new Failure("network", `The server cannot be reached: ${error}`);
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
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok && !isOurs(page)) throw new Failure("later", strangersWords(response.status));
    const token = page.querySelector("meta[name=csrf-token]")?.getAttribute("content");
    if (!response.ok || response.redirected || !token) throw new Failure("session", "You are not signed in yet.");
    const rater = page.querySelector("main")?.dataset.rater;
    if (rater !== this.rater) location.reload();
    else this.csrf = token;
  }
}
