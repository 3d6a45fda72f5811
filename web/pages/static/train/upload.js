/** The upload panel: photos dropped, pasted or chosen, sent two at a time, made, and rated in a grid. */

import { Grid } from "./grid.js";
import { itemsOf } from "./queue.js";
import { make } from "../elements.js";
import { placeOf } from "../server.js";
import { answerOf, backOff, Failure } from "./wire.js";

const AT_ONCE = 2;
const WATCH_MS = 800;
const SLOWEST_WATCH_MS = 5_000;
const PATH = "/api/enhance/train";

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One photo on its way. */
class Upload {
  /** @type {Grid | null} */
  grid = null;

  /** @param {File} file @param {(upload: Upload) => void} again */
  constructor(file, again) {
    this.file = file;
    this.bar = make("progress", { max: "1", value: "0", "aria-label": `Sent of ${file.name}` });
    this.said = make("p", { class: "muted", role: "status" }, "Waiting");
    this.error = make("p", { class: "error", role: "alert" });
    this.retry = make("button", { class: "button small", type: "button" }, "Try again");
    this.retry.addEventListener("click", () => again(this));
    this.head = make("div", { class: "upload-head" }, make("p", { class: "upload-name" }, file.name), this.bar, this.said, this.error, this.retry);
    this.element = make("li", { class: "upload" }, this.head);
    this.state("waiting", "Waiting");
  }

  /** Show where it stands. @param {"waiting"|"uploading"|"generating"|"ready"|"failed"} state @param {string} text */
  state(state, text) {
    const failed = state === "failed";
    this.element.dataset.state = state;
    this.bar.hidden = failed || state === "ready";
    if (state === "generating") this.bar.removeAttribute("value");
    this.said.textContent = failed ? "" : text;
    this.error.textContent = failed ? text : "";
    this.retry.hidden = !failed;
  }

  /** Show how much is sent. @param {number} part 0 to 1 */
  sent(part) {
    this.bar.value = part;
    this.state("uploading", part < 1 ? `Sending, ${Math.round(part * 100)} %` : "Checking");
  }
}

/** Takes photos in and shows what was made of them. */
export class Uploads {
  /** @type {Upload[]} */
  #waiting = [];
  #busy = 0;

  /**
   * @param {Wire} wire @param {Session} session
   * @param {Images} images @param {HTMLElement} list @param {(failure: Failure) => void} onSession
   */
  constructor(wire, session, images, list, onSession) {
    this.wire = wire;
    this.session = session;
    this.images = images;
    this.list = list;
    this.onSession = onSession;
  }

  /** Take files in. @param {Iterable<File>} files */
  add(files) {
    const uploads = [...files].map((file) => new Upload(file, (upload) => this.#enqueue(upload)));
    this.list.prepend(...uploads.map((upload) => upload.element));
    uploads.forEach((upload) => this.#enqueue(upload));
    uploads[0]?.element.scrollIntoView({ block: "center" });
  }

  /** @param {Upload} upload */
  #enqueue(upload) {
    upload.state("waiting", "Waiting");
    this.#waiting.push(upload);
    this.#pump();
  }

  #pump() {
    while (this.#busy < AT_ONCE && this.#waiting.length) {
      const upload = /** @type {Upload} */ (this.#waiting.shift());
      this.#busy += 1;
      void this.#work(upload);
    }
  }

  /** @param {Upload} upload */
  async #work(upload) {
    try {
      let state;
      try {
        state = await this.#send(upload);
      } finally {
        this.#busy -= 1;
        this.#pump();
      }
      this.session.queue.leave(state.experiment_id);
      this.#show(upload, await this.#made(upload, state));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      upload.state("failed", error.message);
      if (error.kind === "session") this.onSession(error);
    }
  }

  /** Send one file, telling progress. @param {Upload} upload @returns {Promise<UploadState>} */
  #send(upload) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", placeOf(PATH));
      for (const [name, value] of Object.entries(this.wire.headers())) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => upload.sent(event.loaded / event.total);
      request.onload = () => {
        try {
          resolve(answerOf(request.status, request.responseText));
        } catch (error) {
          reject(error);
        }
      };
      request.onerror = () => reject(new Failure("network", "The server could not be reached. The photo was not sent."));
      const form = new FormData();
      form.append("file", upload.file, upload.file.name);
      const study = this.session.study || this.session.queue.study;
      if (study) form.append("study_id", study);
      upload.sent(0);
      request.send(form);
    });
  }

  /** Watch until the versions are made. @param {Upload} upload @param {UploadState} state */
  async #made(upload, state) {
    const path = `${PATH}/${state.experiment_id}`;
    let wait = WATCH_MS;
    for (let tries = 0; state.state === "generating"; ) {
      upload.state("generating", `Making versions, ${state.done ?? 0} of ${state.of ?? "some"} ready`);
      await pause(wait);
      try {
        state = await this.wire.call("GET", path);
        wait = Math.min(SLOWEST_WATCH_MS, wait * 1.2);
        tries = 0;
      } catch (error) {
        if (!(error instanceof Failure) || (error.kind !== "network" && error.kind !== "later")) throw error;
        wait = backOff((tries += 1));
      }
    }
    if (state.state === "void") throw new Failure("refused", state.message || "No version could be made of it.");
    return /** @type {Experiment} */ (/** @type {unknown} */ (state));
  }

  /** @param {Upload} upload @param {Experiment} experiment */
  #show(upload, experiment) {
    this.session.queue.meet(experiment);
    upload.state("ready", `${experiment.options.length} versions. Rate each: choose a score, or focus it and press 1–5.`);
    upload.grid = new Grid(this.session, this.images, itemsOf(experiment));
    upload.element.append(upload.grid.element);
  }
}
