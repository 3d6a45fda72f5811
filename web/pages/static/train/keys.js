/** Single keys: which key means what in this browser, whether they are on, and the part of the help that changes them. */

import { make } from "../elements.js";
import { shared } from "./shelf.js";
import { byId } from "./view.js";

const SWITCH = "palate-keys";
const MAP = "palate-keymap";
const FIXED = new Set(["Escape", "Tab", "Enter", "Shift", "Control", "Alt", "Meta", "AltGraph", "Dead", "CapsLock"]);
/** @type {Record<string, string>} */
const SHOWN = { " ": "Space", ArrowLeft: "←", ArrowUp: "↑", ArrowRight: "→", ArrowDown: "↓", "-": "−" };
const SCORES = ["Bad", "Poor", "Fair", "Good", "Excellent"];

/** @type {Action[]} */
export const ACTIONS = [
  ...SCORES.map((word, i) => /** @type {Action} */ ({ name: `rate${i + 1}`, words: `Rate ${i + 1}, ${word}`, command: "rate", value: i + 1, keys: [`${i + 1}`] })),
  { name: "compare", words: "Original while held", command: "compare", value: 1, keys: [" "] },
  { name: "slider", words: "Compare slider", command: "slider", value: 0, keys: ["c"] },
  { name: "in", words: "Zoom in", command: "zoom", value: 1, keys: ["=", "+"], held: true },
  { name: "out", words: "Zoom out", command: "zoom", value: -1, keys: ["_", "-"], held: true },
  { name: "fit", words: "Fit to window", command: "zoom", value: 0, keys: ["0"] },
  { name: "left", words: "Move left", command: "move", value: 0, keys: ["ArrowLeft"], held: true },
  { name: "up", words: "Move up", command: "move", value: 1, keys: ["ArrowUp"], held: true },
  { name: "right", words: "Move right", command: "move", value: 2, keys: ["ArrowRight"], held: true },
  { name: "down", words: "Move down", command: "move", value: 3, keys: ["ArrowDown"], held: true },
  { name: "undo", words: "Undo", command: "undo", value: 0, keys: ["Backspace", "u"] },
  { name: "skip", words: "Skip", command: "skip", value: 0, keys: ["s"] },
  { name: "note", words: "Tags and note", command: "note", value: 0, keys: ["t"] },
  { name: "flag", words: "Flag", command: "flag", value: 0, keys: ["f"] },
  { name: "grid", words: "Grid", command: "grid", value: 0, keys: ["g"] },
  { name: "help", words: "Help", command: "help", value: 0, keys: ["?"] },
];

/** Return the name of a key, the same with and without Shift. @param {string} key */
const plain = (key) => (key.length === 1 ? key.toLowerCase() : key);

/** The keys of this browser. */
export class Keys {
  /** @type {Record<string, string>} what was chosen instead of the usual keys, by action */
  #chosen = {};

  constructor() {
    const kept = shared.object(MAP);
    for (const { name } of ACTIONS) if (typeof kept[name] === "string") this.#chosen[name] = kept[name];
  }

  /** Tell whether single keys are on. */
  get on() {
    return shared.get(SWITCH) !== "off";
  }

  /** Switch single keys on or off. @param {boolean} on */
  turn(on) {
    shared.set(SWITCH, on ? "on" : "off");
  }

  /** Return the keys of an action. @param {Action} action */
  of(action) {
    const chosen = this.#chosen[action.name];
    return chosen === undefined ? action.keys : [chosen];
  }

  /** Return how an action's keys are written: all of them, or the one that fits on a button. @param {string} name @param {boolean} [all] */
  label(name, all = false) {
    const action = ACTIONS.find((one) => one.name === name);
    const keys = (action ? this.of(action) : []).map((key) => SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key));
    return all ? keys.join(" ") : keys.at(-1) ?? "";
  }

  /** Return what a key press asks for, if anything. @param {KeyboardEvent} event @returns {Press | null} */
  press(event) {
    const action = this.actionOf(event);
    return action && (!event.repeat || action.held) ? { command: action.command, value: action.value } : null;
  }

  /** Return the action of a pressed or released key. @param {KeyboardEvent} event @returns {Action | undefined} */
  actionOf(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const pad = /^Numpad([1-5])$/.exec(event.code)?.[1];
    const row = /^Digit([1-5])$/.exec(event.code)?.[1]; // where digits need Shift, the key alone counts too
    for (const key of [pad, plain(event.key), row]) {
      const found = key && ACTIONS.find((action) => this.of(action).includes(key));
      if (found) return found;
    }
    return undefined;
  }

  /** Give an action another key; returns why not, or "". @param {string} name @param {string} key */
  choose(name, key) {
    const wanted = plain(key);
    if (FIXED.has(wanted)) return `${wanted} cannot be used.`;
    const other = ACTIONS.find((action) => action.name !== name && this.of(action).includes(wanted));
    if (other) return `${SHOWN[wanted] ?? wanted.toUpperCase()} is taken: ${other.words}.`;
    this.#chosen[name] = wanted;
    shared.set(MAP, JSON.stringify(this.#chosen));
    return "";
  }

  /** Go back to the usual keys. */
  reset() {
    this.#chosen = {};
    shared.remove(MAP);
  }

  /** Return the keys of some actions. @param {string[]} names */
  taken(names) {
    return ACTIONS.filter(({ name }) => names.includes(name)).flatMap((action) => this.of(action));
  }
}

/** Tell whether the focused element needs the key for itself. @param {KeyboardEvent} event */
export function isTaken(event) {
  const target = /** @type {Element} */ (event.target);
  if (target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=file], [type=range])")) return event.key !== "Escape";
  if (target.matches("input[type=radio]")) return event.key === " " || event.key === "Enter" || event.key.startsWith("Arrow");
  if (target.matches("input[type=range]")) return event.key.startsWith("Arrow");
  if (target.matches("a, button, summary, input")) return event.key === " " || event.key === "Enter";
  return false;
}

/** Return a key for each name: the first free letter of its last word. @param {string[]} names @param {string[]} taken */
export function mnemonics(names, taken) {
  /** @type {Map<string, string>} */
  const keys = new Map();
  for (const name of names) {
    const letters = [...(name.split("_").pop() ?? ""), ...name.replaceAll("_", ""), ..."abcdefghijklmnopqrstuvwxyz"];
    const free = letters.find((letter) => !taken.includes(letter) && !keys.has(letter));
    if (free) keys.set(free, name);
  }
  return keys;
}

/** Lists every action with its key; a button waits for the new one. */
export class Keymap {
  /** @type {HTMLButtonElement | null} waits for a key */
  #waiting = null;

  /** @param {Keys} keys @param {() => void} onChange */
  constructor(keys, onChange) {
    this.keys = keys;
    this.onChange = onChange;
    byId("keymap").replaceChildren(...ACTIONS.map((action) => this.#row(action)));
    byId("keymap-reset").addEventListener("click", () => {
      keys.reset();
      this.#changed("The usual keys are back.");
    });
    this.label();
  }

  /** @param {Action} action */
  #row({ name, words }) {
    const button = /** @type {HTMLButtonElement} */ (make("button", { class: "button small", type: "button", "data-rebind": name }));
    button.append(make("span", { class: "visually-hidden" }, `${words}: `), make("kbd", { "data-keys": name }));
    button.addEventListener("click", () => this.#wait(button));
    button.addEventListener("keydown", (event) => this.#take(button, event));
    button.addEventListener("blur", () => this.#end(button));
    return make("li", {}, make("span", { "aria-hidden": "true" }, words), button);
  }

  /** @param {HTMLButtonElement} button */
  #wait(button) {
    this.#waiting = button;
    button.dataset.waiting = "";
    this.#say("Press the new key, or Escape to leave it.");
  }

  /** @param {HTMLButtonElement} button @param {KeyboardEvent} event */
  #take(button, event) {
    if (this.#waiting !== button || ["Shift", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") {
      this.#end(button);
      this.#say("Nothing was changed.");
      return;
    }
    const fault = event.ctrlKey || event.metaKey || event.altKey ? "Press one key alone." : this.keys.choose(button.dataset.rebind ?? "", event.key);
    if (fault) return this.#say(fault);
    this.#end(button);
    this.#changed("The key was changed, in this browser.");
  }

  /** @param {HTMLButtonElement} button */
  #end(button) {
    if (this.#waiting === button) this.#waiting = null;
    delete button.dataset.waiting;
  }

  /** @param {string} said */
  #changed(said) {
    this.label();
    this.onChange();
    this.#say(said);
  }

  /** @param {string} text */
  #say(text) {
    byId("keymap-said").textContent = text;
  }

  /** Write the keys on everything that tells one. */
  label() {
    const tellers = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-key], [data-keys]"));
    for (const kbd of tellers) {
      const { key = "", keys = "" } = kbd.dataset;
      kbd.textContent = this.keys.label(key || keys, keys !== "");
      kbd.hidden = kbd.matches(".score-other") && key.endsWith(kbd.textContent); // the number itself says it
    }
  }
}
