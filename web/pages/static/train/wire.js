/** Calls to the server: the one place that knows the tab, the CSRF token and what a failed call means. */

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

/** Return what a refused response means. @param {number} status @param {string} text @param {string | null} retryAfter */
export function failureOf(status, text, retryAfter = null) {
  const said = detailOf(text);
  if (status === 401 || status === 403) return new Failure("session", said || "Your session is over.");
  if (status === 408 || status === 429 || status >= 500) {
    return new Failure("later", said || `The server answered ${status}.`, Number(retryAfter ?? 0) * 1000 || 0);
  }
  return new Failure("refused", said || `The server refused it (${status}).`);
}

/** Read the sentence out of a problem+json body; "" if it is none. @param {string} text */
function detailOf(text) {
  try {
    const problem = JSON.parse(text);
    return String(problem?.detail ?? problem?.title ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) return "";
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

/** Return what an answer says in JSON, or throw a Failure where it is none. @param {string} text */
export function jsonOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure("network", "The answer was cut short, or is not Palate's.");
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
    if (!response.ok) throw failureOf(response.status, await textOf(response), response.headers.get("Retry-After"));
    return jsonOf(await textOf(response));
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #send(method, path, body) {
    const text = body && JSON.stringify(body);
    const headers = { ...this.headers(), ...(text ? { "Content-Type": "application/json" } : {}) };
    const keepalive = method !== "GET" && (text?.length ?? 0) < KEEPALIVE_BYTES;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await fetch(path, { method, body: text, headers, keepalive, signal });
    } catch {
      throw new Failure("network", "The server cannot be reached.");
    }
  }

  /** Sign in again, with the page as it is; throws a Failure with the reason where that fails. @param {string} email @param {string} password */
  async signIn(email, password) {
    const response = await this.#send("POST", "/api/v1/session", { email, password });
    const elsewhere = response.status === 403; // somebody signed in meanwhile, in another tab
    if (!response.ok && !elsewhere) throw failureOf(response.status, await textOf(response));
    await this.renew();
  }

  /** Take a fresh CSRF token from the page; if somebody else is signed in by now, load the page as theirs. */
  async renew() {
    const response = await this.#send("GET", "/train");
    if (!response.ok || response.redirected) throw new Failure("session", "You are not signed in yet.");
    const page = new DOMParser().parseFromString(await textOf(response), "text/html");
    const token = page.querySelector("meta[name=csrf-token]")?.getAttribute("content");
    if (!token) throw new Failure("session", "You are not signed in yet.");
    const rater = page.querySelector("main")?.dataset.rater;
    if (rater !== this.rater) location.reload();
    else this.csrf = token;
  }
}
