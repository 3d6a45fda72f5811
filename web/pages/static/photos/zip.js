/**
 * The entries of a zip, read where it lies: each is unpacked by itself, when its turn has come, and never beyond the size of
 * a photo that is taken. So a zip needs no room on the server, and one that would burst does so nowhere.
 */

const END = 0x06054b50; // the marks of the end, of an entry in the directory, and of an entry itself
const LISTED = 0x02014b50;
const ENTRY = 0x04034b50;
const END_BYTES = 22;
const LISTED_BYTES = 46;
const ENTRY_BYTES = 30;
const COMMENT_BYTES = 65_535;
const MOST_ENTRIES = 100_000;
const MOST_BYTES = 30_000_000; // of one photo, as on the server
const MOST_DIRECTORY = 64_000_000;

/** Why a zip cannot be read, in words for whoever chose it. */
export class BadZip extends Error {}

/** Return the files in a zip. @param {Blob} file @returns {Promise<import("./chosen.js").Chosen[]>} */
export async function entriesOf(file) {
  const tail = await view(file, Math.max(0, file.size - END_BYTES - COMMENT_BYTES), file.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new BadZip("This is no zip, or only a part of one.");
  const count = tail.getUint16(at + 10, true);
  const [size, start] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (count === 0xffff || start === 0xffffffff) throw new BadZip("This zip is too large to be read here; unpack it and choose the folder.");
  if (count > MOST_ENTRIES || size > MOST_DIRECTORY || start + size > file.size) throw new BadZip("This zip is damaged; pack it again.");
  return listed(file, await view(file, start, start + size), count);
}

/** Read the directory of a zip. @param {Blob} file @param {DataView} directory @param {number} count */
function listed(file, directory, count) {
  /** @type {import("./chosen.js").Chosen[]} */
  const found = [];
  let at = 0;
  for (let number = 0; number < count; number += 1) {
    if (at + LISTED_BYTES > directory.byteLength || directory.getUint32(at, true) !== LISTED) throw new BadZip("This zip is damaged; pack it again.");
    const [flags, method] = [directory.getUint16(at + 8, true), directory.getUint16(at + 10, true)];
    const [packed, size] = [directory.getUint32(at + 20, true), directory.getUint32(at + 24, true)];
    const [name, extra, comment] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
    const start = directory.getUint32(at + 42, true);
    if (at + LISTED_BYTES + name > directory.byteLength) throw new BadZip("This zip is damaged; pack it again.");
    const path = new TextDecoder().decode(new Uint8Array(directory.buffer, directory.byteOffset + at + LISTED_BYTES, name));
    if (flags & 1) throw new BadZip("This zip has a password; unpack it and choose the folder.");
    if (!path.endsWith("/")) found.push({ path, size, read: () => unpacked(file, { start, packed, size, method }) });
    at += LISTED_BYTES + name + extra + comment;
  }
  return found;
}

/** Return the bytes of one entry. @param {Blob} file @param {{ start: number, packed: number, size: number, method: number }} entry */
async function unpacked(file, { start, packed, size, method }) {
  if (size > MOST_BYTES) throw new BadZip("The photo has more than 30 MB; scale it down.");
  const head = await view(file, start, start + ENTRY_BYTES);
  if (head.byteLength < ENTRY_BYTES || head.getUint32(0, true) !== ENTRY) throw new BadZip("The zip is damaged here; pack it again.");
  const begin = start + ENTRY_BYTES + head.getUint16(26, true) + head.getUint16(28, true);
  const raw = file.slice(begin, begin + packed);
  if (method === 0) return raw;
  if (method !== 8) throw new BadZip("It is packed in a way that browsers cannot read; unpack the zip and choose the folder.");
  return inflated(raw);
}

/** Unpack bytes, and stop where they become more than a photo has. @param {Blob} raw */
async function inflated(raw) {
  const reader = raw.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  /** @type {BlobPart[]} */
  const parts = [];
  let bytes = 0;
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      bytes += read.value.byteLength;
      if (bytes > MOST_BYTES) throw new BadZip("The photo has more than 30 MB; scale it down.");
      parts.push(read.value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error instanceof BadZip ? error : new BadZip("The zip is damaged here; pack it again.");
  }
  return new Blob(parts);
}

/** @param {Blob} file @param {number} from @param {number} to */
async function view(file, from, to) {
  return new DataView(await file.slice(from, to).arrayBuffer());
}
