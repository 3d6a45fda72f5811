/** Adding photos: dropped, or chosen, a folder, a zip or files; how far each is, and what came of all. */

import { choicesOf, droppedPlaces, LOOSE, placesOf } from "./chosen.js";
import { Sender } from "./send.js";
import { Failure } from "../train/wire.js";
import { BadZip } from "./zip.js";

/** @typedef {import("./chosen.js").Chosen} Chosen */
/** @typedef {import("./chosen.js").Choice} Choice */

const DRAWN = 50; // rows of photos that failed; the others are counted
const NAMED = 5; // tables that were not taken; the others are counted
const figure = new Intl.NumberFormat("en").format;

/** @param {string} tag @param {string} [words] @param {string} [name] */
function make(tag, words = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  if (name) element.className = name;
  return element;
}

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
    const row = make("li");
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", `Sent of ${photo.path}`);
    row.append(make("span", photo.path, "name"), bar, make("span", "", "words muted"));
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

  /** @param {Chosen} photo @param {string} state @param {string} said */
  over(photo, state, said) {
    this.done += 1;
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
    const notice = make("div", "", `notice ${kind}`);
    notice.append(...words.map((one) => make("p", one)));
    done.append(notice);
    return notice;
  }

  /** Take one folder, zip or handful of files in. @param {Choice} choice */
  async function take(choice) {
    if (!choice.photos.length && !choice.manifests.length) return void tell([`${choice.label}: there is no photo in it.`], "warn");
    sender = new Sender(section.dataset.study ?? "", csrf);
    const progress = new Progress(section, choice.photos.length);
    sending.hidden = false;
    try {
      const batch = await sender.begin(choice.label);
      document.querySelector(`[data-batch="${batch}"]`)?.remove(); // what was missing until now
      for (const file of choice.manifests) await sender.manifest(batch, file);
      const before = await sender.send(batch, choice.photos, progress);
      summarize(choice, await sender.summary(batch), before, sender.stopped);
    } catch (error) {
      tell([choice.label, said(error, "This did not work. Reload the page and choose it again.")], "bad");
    } finally {
      sending.hidden = true;
      sender = null;
    }
  }

  /** @param {Choice} choice @param {any} summary @param {number} before @param {boolean} stopped */
  function summarize(choice, summary, before, stopped) {
    const { added = 0, known = 0, refused = 0, missing = 0, fetching = 0 } = summary.counts;
    const words = [`${choice.label}: ${figure(added)} added, ${figure(known)} there already, ${figure(refused)} refused.`];
    if (before) words.push(`Come before, and not sent again: ${figure(before)}.`);
    if (fetching) words.push(`Being fetched from their addresses: ${figure(fetching)}.`);
    if (missing) words.push(`Missing${stopped ? ", as this was stopped" : ""}: ${figure(missing)}. Choose ${choice.label === LOOSE ? "them" : "it"} again, and only what is missing is sent.`);
    if (choice.passed) words.push(choice.passed === 1 ? "One file is no photo and was passed over." : `${figure(choice.passed)} files are no photos and were passed over.`);
    const [tables, more] = [choice.tables.slice(0, NAMED).map(({ file }) => file.name), choice.tables.length - NAMED];
    if (tables.length) words.push(`Not taken, as no column is called file or url: ${tables.join(", ")}${more > 0 ? ` and ${figure(more)} more` : ""}.`);
    const notice = tell(words, missing || refused ? "warn" : "good");
    if (refused) {
      const [details, list] = [make("details"), make("ul")];
      list.append(...summary.refused.map((/** @type {{ path: string, said: string }} */ one) => make("li", `${one.path}: ${one.said}`)));
      details.append(make("summary", `Refused: ${figure(refused)}`), list);
      notice.append(details);
    }
    const show = Object.assign(document.createElement("a"), { href: location.pathname, textContent: "Show the photos" });
    show.className = "button small";
    notice.append(show);
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
  stop.addEventListener("click", () => { if (sender) sender.stopped = true; });
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("takes-drops");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("takes-drops"); });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("takes-drops");
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    const transfer = event.dataTransfer;
    add(() => droppedPlaces(transfer));
  });
  addEventListener("beforeunload", (event) => { if (sender) event.preventDefault(); });
}

const section = /** @type {HTMLElement | null} */ (document.querySelector("[data-adding]"));
if (section) serve(section);
