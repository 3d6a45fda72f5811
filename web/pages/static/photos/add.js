/** Adding photos: dropped, or chosen, a folder, a zip or files; how far each is, and what came of all. */

import { choicesOf, droppedPlaces, LOOSE, placesOf } from "./chosen.js";
import { Sender, Stopped } from "./send.js";
import { make, takeDrops } from "../elements.js";
import { Failure } from "../train/wire.js";
import { BadZip } from "./zip.js";

/** @typedef {import("./chosen.js").Chosen} Chosen */
/** @typedef {import("./chosen.js").Choice} Choice */

const DRAWN = 50; // rows of photos that failed; the others are counted
const NAMED = 200; // photos that were refused, with the reason
const TABLES = 5; // that were not taken; the others are counted
const figure = new Intl.NumberFormat("en").format;

/** Return what an error says where that is meant for people, or other words. @param {unknown} error @param {string} otherwise */
function said(error, otherwise) {
  return error instanceof Failure || error instanceof BadZip ? error.message : otherwise;
}

/** The list of photos on their way: a row for each that is being sent or has failed, and a count of all. */
class Progress {
  /** @type {Map<Chosen, HTMLElement>} */
  rows = new Map();
  done = 0;
  failed = 0;
  before = 0; // of those done: what had come before, and was not sent again
  /** @type {Record<string, number>} */
  counts = {};
  /** @type {{ path: string, said: string }[]} */
  refused = [];

  /** @param {HTMLElement} box @param {number} total */
  constructor(box, total) {
    const within = (/** @type {string} */ name) => /** @type {HTMLElement} */ (box.querySelector(`[data-${name}]`));
    this.bar = /** @type {HTMLProgressElement} */ (within("bar"));
    this.count = within("count");
    this.said = within("said");
    this.list = within("rows");
    this.total = total;
    this.list.replaceChildren();
    this.#tell();
  }

  /** @param {Chosen} photo */
  #row(photo) {
    const known = this.rows.get(photo);
    if (known) return known;
    const row = make("li", {}, make("span", { class: "name" }, photo.path),
      make("progress", { max: "1", value: "0", "aria-label": `Sent of ${photo.path}` }), make("span", { class: "words muted" }));
    this.rows.set(photo, row);
    this.list.prepend(row);
    return row;
  }

  /** @param {Chosen} photo @param {number} share */
  sent(photo, share) {
    const row = this.#row(photo);
    /** @type {HTMLProgressElement} */ (row.querySelector("progress")).value = share;
    /** @type {HTMLElement} */ (row.querySelector(".words")).textContent = share < 1 ? "" : "being read";
  }

  /** @param {Chosen} photo @param {string} words */
  waits(photo, words) {
    /** @type {HTMLElement} */ (this.#row(photo).querySelector(".words")).textContent = words;
    this.said.textContent = words;
  }

  /** @param {Chosen} photo @param {string} state @param {string} said @param {boolean} [before] */
  over(photo, state, said, before = false) {
    this.done += 1;
    this.counts[state] = (this.counts[state] ?? 0) + 1;
    if (before) this.before += 1;
    if (state === "refused" && this.refused.length < NAMED) this.refused.push({ path: photo.path, said });
    this.said.textContent = "";
    const failed = state === "refused" || state === "failed";
    if (failed) this.failed += 1;
    if (failed && this.failed <= DRAWN) {
      const row = this.#row(photo);
      row.querySelector("progress")?.remove();
      /** @type {HTMLElement} */ (row.querySelector(".words")).textContent = said;
    } else {
      this.rows.get(photo)?.remove();
    }
    this.rows.delete(photo);
    this.#tell();
  }

  /** Return what became of those chosen, as the server tells it of a whole upload. */
  summary() {
    const { added = 0, known = 0, refused = 0 } = this.counts;
    return { counts: { added, known, refused, missing: this.total - added - known - refused }, refused: this.refused };
  }

  #tell() {
    this.bar.value = this.total ? this.done / this.total : 0;
    this.count.textContent = `${figure(this.done)} of ${figure(this.total)}${this.failed ? `, ${figure(this.failed)} not taken` : ""}`;
  }
}

/** Serve the part of the page that takes photos. @param {HTMLElement} section */
function serve(section) {
  const within = (/** @type {string} */ name) => /** @type {HTMLElement} */ (section.querySelector(`[data-${name}]`));
  const [sending, done, stop] = [within("sending"), within("done"), within("stop")];
  const csrf = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
  /** @type {Promise<void>} */
  let queue = Promise.resolve();
  /** @type {Sender | null} */
  let sender = null;

  /** @param {string[]} words @param {string} kind */
  function tell(words, kind = "") {
    const notice = make("div", { class: `notice ${kind}` }, ...words.map((one) => make("p", {}, one)));
    done.append(notice);
    return notice;
  }

  /** Take one folder, zip or handful of files in. @param {Choice} choice */
  async function take(choice) {
    if (!choice.photos.length && !choice.manifests.length) return void tell([`${choice.label}: there is no photo in it.`], "warn");
    const mine = new Sender(section.dataset.study ?? "", csrf);
    sender = mine;
    const progress = new Progress(section, choice.photos.length);
    sending.hidden = false;
    try {
      summarize(choice, await mine.unlessStopped(send(mine, choice, progress)), progress.before);
    } catch (error) {
      if (error instanceof Stopped) summarize(choice, progress.summary(), progress.before, true);
      else tell([choice.label, said(error, "This did not work. Reload the page and choose it again.")], "bad");
    } finally {
      mine.stop(); // nothing of it goes on once it was told what came of it
      sending.hidden = true;
      sender = null;
    }
  }

  /** Send a choice, and return what came of it. @param {Sender} by @param {Choice} choice @param {Progress} progress */
  async function send(by, choice, progress) {
    const batch = await by.begin(choice.label);
    document.querySelector(`[data-batch="${batch}"]`)?.remove(); // what was missing until now
    for (const manifest of choice.manifests) await by.manifest(batch, manifest);
    await by.send(batch, choice.photos, progress);
    return choice.manifests.length ? by.summary(batch) : progress.summary(); // the upload may hold more than was chosen now
  }

  /** @param {Choice} choice @param {any} summary @param {number} before @param {boolean} [stopped] */
  function summarize(choice, summary, before, stopped = false) {
    const { added = 0, known = 0, refused = 0, missing = 0, fetching = 0 } = summary.counts;
    const words = [`${choice.label}: ${figure(added)} added, ${figure(known)} there already, ${figure(refused)} refused.`];
    if (before) words.push(`Come before, and not sent again: ${figure(before)}.`);
    if (fetching) words.push(`Being fetched from their addresses: ${figure(fetching)}.`);
    if (missing) words.push(`Missing${stopped ? ", as this was stopped" : ""}: ${figure(missing)}. Choose ${choice.label === LOOSE ? "them" : "it"} again, and only what is missing is sent.`);
    else if (stopped) words.push("This was stopped; choose it again to go on.");
    if (choice.passed) words.push(choice.passed === 1 ? "One file is no photo and was passed over." : `${figure(choice.passed)} files are no photos and were passed over.`);
    const [tables, more] = [choice.tables.slice(0, TABLES).map(({ file }) => file.name), choice.tables.length - TABLES];
    if (tables.length) words.push(`Not taken, as no column is called file or url: ${tables.join(", ")}${more > 0 ? ` and ${figure(more)} more` : ""}.`);
    const notice = tell(words, missing || refused || stopped ? "warn" : "good");
    if (refused) {
      const named = summary.refused.map((/** @type {{ path: string, said: string }} */ one) => make("li", {}, `${one.path}: ${one.said}`));
      notice.append(make("details", {}, make("summary", {}, `Refused: ${figure(refused)}`), make("ul", {}, ...named)));
    }
    notice.append(make("a", { class: "button small", href: location.pathname }, "Show the photos"));
  }

  /** @param {() => Promise<[string, File][]>} gather */
  function add(gather) {
    const gathered = gather(); // at once: what was dropped can be read only now
    queue = queue.then(async () => {
      try {
        for (const choice of await choicesOf(await gathered)) await take(choice);
      } catch (error) {
        tell([said(error, "What was chosen cannot be read; choose it again.")], "bad");
      }
    });
  }

  for (const name of ["files", "folder"]) {
    const input = /** @type {HTMLInputElement} */ (within(name));
    section.querySelector(`[data-choose=${name}]`)?.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const places = placesOf(input.files);
      input.value = "";
      add(async () => places);
    });
  }
  stop.addEventListener("click", () => sender?.stop());
  takeDrops((over) => { document.body.classList.toggle("takes-drops", over); }, (transfer) => add(() => droppedPlaces(transfer)));
  addEventListener("beforeunload", (event) => { if (sender) event.preventDefault(); });
}

const section = /** @type {HTMLElement | null} */ (document.querySelector("[data-adding]"));
if (section) serve(section);
