/** Sending photos: what is chosen is noted on the server first, then each is sent by itself, a few at a time, until it is there. */

import { placeOf } from "../server.js";
import { answerOf, backOff, Failure } from "../train/wire.js";
import { BadZip } from "./zip.js";

/** @typedef {import("./chosen.js").Chosen} Chosen */
/** @typedef {{ id: string, state: string, sha256: string, said: string }} Known */
/** @typedef {{ sent: (photo: Chosen, share: number) => void, waits: (photo: Chosen, words: string) => void, over: (photo: Chosen, state: string, said: string, before?: boolean) => void }} Ear */

const AT_ONCE = 3;
const LISTED = 1_000; // files that are noted with one request
const LONGEST_WAIT = 30_000;
const LONGEST_PUT = 600_000; // a connection that hangs must not keep all that comes after
const TRIES = 6; // where something answers each time that it does not go; without network this waits for as long as it takes
const BEFORE = new Set(["added", "known"]);

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Why nothing more comes of an upload: whoever began it stopped it. */
export class Stopped extends Error {}

/** The server, as one page talks to it. */
export class Sender {
  #control = new AbortController();
  #signal = this.#control.signal;

  /** @param {string} study @param {string} csrf */
  constructor(study, csrf) {
    this.study = study;
    this.csrf = csrf;
  }

  /** Break off all that is under way, and begin nothing more. */
  stop() {
    this.#control.abort(new Stopped());
  }

  /** Return what some work gives, or throw Stopped at once when this is stopped, whatever hangs. @template T @param {Promise<T>} work @returns {Promise<T>} */
  unlessStopped(work) {
    /** @type {Promise<never>} */
    const stop = new Promise((_, reject) => this.#signal.addEventListener("abort", () => reject(this.#signal.reason)));
    return Promise.race([work, stop]);
  }

  /** Begin an upload, or go on with the one of this label, and return its id. @param {string} label */
  async begin(label) {
    return (await this.#patiently(() => this.#call("POST", `/api/v1/studies/${this.study}/batches`, JSON.stringify({ label })))).id;
  }

  /** Have the server read a manifest. @param {string} batch @param {import("./chosen.js").Manifest} manifest */
  async manifest(batch, { folder, file }) {
    const kind = /\.csv$/i.test(file.name) ? "text/csv" : "application/x-ndjson";
    const text = await file.text();
    return this.#patiently(() => this.#call("POST", `/api/v1/batches/${batch}/manifest?folder=${encodeURIComponent(folder)}`, text, kind));
  }

  /** Return how far an upload has come. @param {string} batch */
  async summary(batch) {
    return this.#patiently(() => this.#call("GET", `/api/v1/batches/${batch}`));
  }

  /**
   * Send the photos that are missing.
   * @param {string} batch @param {Chosen[]} photos @param {Ear} ear
   */
  async send(batch, photos, ear) {
    /** @type {[Chosen, Known][]} */
    const waiting = [];
    for (let at = 0; at < photos.length; at += LISTED) {
      const some = photos.slice(at, at + LISTED);
      const body = JSON.stringify({ files: some.map(({ path, size }) => ({ path, size })) });
      const { files } = await this.#patiently(() => this.#call("POST", `/api/v1/batches/${batch}/files`, body));
      some.forEach((photo, place) => waiting.push([photo, files[place]]));
    }
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await this.#one(...next, ear);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** See one photo through; throw where no other can be sent either. @param {Chosen} photo @param {Known} known @param {Ear} ear */
  async #one(photo, known, ear) {
    try {
      const blob = await photo.read();
      const before = await isThere(blob, known);
      const item = before ? known : await this.#patiently(() => this.#put(known.id, photo, blob, ear), (words) => ear.waits(photo, words));
      this.#signal.throwIfAborted();
      ear.over(photo, item.state, item.said, before);
    } catch (error) {
      this.#signal.throwIfAborted(); // who stopped it was told what is missing
      ear.over(photo, "failed", error instanceof Failure || error instanceof BadZip ? error.message : "The file cannot be read any more; choose it again.");
      if (error instanceof Failure && error.kind === "session") throw error;
    }
  }

  /**
   * Ask until there is an answer: what is away comes back, and what is refused stays refused.
   * @param {() => Promise<any>} ask @param {(words: string) => void} [tell]
   */
  async #patiently(ask, tell) {
    for (let [asked, tries] = [1, 1]; ; asked += 1) {
      this.#signal.throwIfAborted();
      try {
        return await ask();
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof Failure) || error.kind === "refused" || error.kind === "session") throw error;
        if (error.kind === "later" && !error.waitMs && (tries += 1) > TRIES) throw error; // who says when to come again is busy, not broken
        tell?.(error.message);
        await pause(Math.max(error.waitMs, backOff(asked, LONGEST_WAIT)));
      }
    }
  }

  /** @param {string} method @param {string} path @param {string} [body] @param {string} [type] */
  async #call(method, path, body, type = "application/json") {
    let answer, text;
    try {
      const headers = { Accept: "application/json", "X-CSRF-Token": this.csrf, ...(body === undefined ? {} : { "Content-Type": type }) };
      answer = await fetch(placeOf(path), { method, body, headers, signal: this.#signal });
      text = await answer.text();
    } catch {
      throw new Failure("network", "The server cannot be reached; this goes on once it is back.");
    }
    return answerOf(answer.status, text, answer.headers.get("Retry-After"));
  }

  /** Send the bytes of one photo. @param {string} item @param {Chosen} photo @param {Blob} blob @param {Ear} ear @returns {Promise<any>} */
  #put(item, photo, blob, ear) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", placeOf(`/api/v1/batches/items/${item}`));
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRF-Token", this.csrf);
      request.upload.addEventListener("progress", (event) => ear.sent(photo, event.loaded / (event.total || 1)));
      request.timeout = LONGEST_PUT;
      const stop = () => request.abort();
      this.#signal.addEventListener("abort", stop);
      request.addEventListener("loadend", () => this.#signal.removeEventListener("abort", stop));
      for (const end of ["abort", "error", "timeout"]) request.addEventListener(end, () => reject(new Failure("network", "The server cannot be reached; this goes on once it is back.")));
      request.addEventListener("load", () => {
        try {
          resolve(answerOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
        } catch (error) {
          reject(error);
        }
      });
      const form = new FormData();
      form.append("file", blob, photo.path.split("/").pop());
      request.send(form);
    });
  }
}

/** Tell whether these very bytes came before; where the browser cannot hash, the same path and size are believed. @param {Blob} blob @param {Known} known */
async function isThere(blob, known) {
  if (!known.sha256) return false;
  if (!crypto.subtle) return BEFORE.has(known.state);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") === known.sha256;
}
