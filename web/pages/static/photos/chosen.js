/** What somebody chose or dropped: photos with where they lie, a zip's entries among them, and manifests apart. */

import { entriesOf } from "./zip.js";

/** @typedef {{ path: string, size: number, read: () => Promise<Blob> }} Chosen a photo that can be sent */
/** @typedef {{ folder: string, file: File }} Manifest a manifest, and where it lies: its files are named from there */
/** @typedef {{ label: string, photos: Chosen[], manifests: Manifest[], tables: Manifest[], passed: number }} Choice what belongs together; tables are no manifests */

const PHOTO = /\.(jpe?g|jpe|jfif|png|webp|avif|heic|heif|tiff?|gif|bmp)$/i; // what is no photo that can be kept is refused in words
const MANIFEST = /\.(csv|jsonl|ndjson)$/i;
const CALLED = /^manifest\./i;
const COLUMN = /(^|,)[\s"\uFEFF]*(file|url)["\s]*(,|$)/; // of a CSV's first line
const FIELD = /"(file|url)"\s*:/; // of a line of JSON
const BEGINNING = 10_000; // bytes in which a first line is looked for
const ZIP = /\.zip$/i;
export const LOOSE = "Single photos"; // what an upload is called that is no folder
const LABEL = 120; // characters

/** Return the choices that files make, each with the path at which it lies. @param {[string, File][]} placed */
export async function choicesOf(placed) {
  /** @type {Map<string, Choice>} */
  const found = new Map();
  const into = (/** @type {string} */ label) => {
    const kept = label.slice(0, LABEL);
    const choice = found.get(kept) ?? { label: kept, photos: [], manifests: [], tables: [], passed: 0 };
    found.set(kept, choice);
    return choice;
  };
  for (const [place, file] of placed) {
    const [label, path] = divided(place);
    if (/(^|\/)\./.test(path) || path.startsWith("__MACOSX/")) continue; // what systems leave in folders
    if (ZIP.test(path)) await unpack(into(file.name), file);
    else if (MANIFEST.test(path)) await addTable(into(label), path, file);
    else if (PHOTO.test(path) || file.type.startsWith("image/")) into(label).photos.push({ path, size: file.size, read: async () => file });
    else into(label).passed += 1;
  }
  for (const choice of found.values()) {
    choice.photos.sort((one, other) => (one.path < other.path ? -1 : 1)); // browsers tell them as they lie on the disk
    if (!choice.photos.length && !choice.manifests.length) choice.manifests = choice.tables.splice(0); // the server says what they lack
  }
  return [...found.values()];
}

/** Return the folder's name and the path within it. @param {string} place @returns {[string, string]} */
function divided(place) {
  const at = place.indexOf("/");
  return at < 0 ? [LOOSE, place] : [place.slice(0, at), place.slice(at + 1)];
}

/** Add a table to a choice: as a manifest where its name or its first line says so. @param {Choice} choice @param {string} path @param {File} file */
async function addTable(choice, path, file) {
  const [first] = (await file.slice(0, BEGINNING).text()).split("\n", 1);
  const is = CALLED.test(file.name) || (/\.csv$/i.test(path) ? COLUMN : FIELD).test(first);
  (is ? choice.manifests : choice.tables).push({ folder: path.slice(0, Math.max(path.lastIndexOf("/"), 0)), file });
}

/** Add the photos of a zip to a choice. @param {Choice} choice @param {File} file */
async function unpack(choice, file) {
  for (const entry of await entriesOf(file)) {
    const name = entry.path.split("/").pop() ?? "";
    if (!name || name.startsWith(".") || entry.path.startsWith("__MACOSX/")) continue;
    if (MANIFEST.test(name)) await addTable(choice, entry.path, new File([await entry.read()], name));
    else if (PHOTO.test(name)) choice.photos.push(entry);
    else choice.passed += 1;
  }
}

/** Return the files of a chosen folder or of chosen files with their places. @param {FileList | null} files @returns {[string, File][]} */
export function placesOf(files) {
  return [...(files ?? [])].map((file) => [file.webkitRelativePath || file.name, file]);
}

/** Return what was dropped, folders with all that is in them. @param {DataTransfer} transfer @returns {Promise<[string, File][]>} */
export async function droppedPlaces(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()); // gone once this has waited for anything
  const files = [...transfer.files];
  if (!entries.some(Boolean)) return files.map((file) => [file.name, file]);
  /** @type {[string, File][]} */
  const found = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

/** Gather the files below an entry. @param {FileSystemEntry} entry @param {[string, File][]} found */
async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    found.push([entry.fullPath.replace(/^\//, ""), /** @type {File} */ (file)]);
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  for (;;) { // a reader gives a hundred at a time, and none once it has given all
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const one of some) await walk(one, found);
  }
}
