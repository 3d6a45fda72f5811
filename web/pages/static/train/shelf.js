/** What lies in the browser's small storage, and in memory where that throws: full, forbidden, or not there. */

/** A storage that always answers. */
class Shelf {
  /** @type {Map<string, string>} what could not be laid down */
  #memory = new Map();

  /** @param {() => Storage} storage may throw */
  constructor(storage) {
    this.storage = storage;
  }

  /** Return what lies under a name, if anything. @param {string} name */
  get(name) {
    const own = this.#memory.get(name);
    return own === undefined ? this.#tried(() => this.storage().getItem(name)) : own;
  }

  /** Lay something down, for as long as the page lives at least. @param {string} name @param {string} value */
  set(name, value) {
    this.#memory.set(name, value);
    this.#tried(() => {
      this.storage().setItem(name, value);
      this.#memory.delete(name); // other tabs may change it there
    });
  }

  /** Take away what lies under a name. @param {string} name */
  remove(name) {
    this.#memory.delete(name);
    this.#tried(() => this.storage().removeItem(name));
  }

  /** Return the object that lies under a name as JSON; an empty one where there is none, or what is no object. @param {string} name @returns {any} */
  object(name) {
    try {
      return Object(JSON.parse(this.get(name) ?? "{}"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // not ours
      return {};
    }
  }

  /** @template T @param {() => T} act @returns {T | null} */
  #tried(act) {
    try {
      return act();
    } catch { // a DOMException, or a TypeError where there is no storage
      return null;
    }
  }
}

/** Shared by all tabs of this browser. */
export const shared = new Shelf(() => localStorage);
/** This tab's own; a copy of a tab begins with a copy of it. */
export const own = new Shelf(() => sessionStorage);
