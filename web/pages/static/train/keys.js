/** Single keys: which key means what, and whether they are on. */

const SWITCH = "palate-keys";

/** @typedef {"rate"|"compare"|"zoom"|"move"|"undo"|"skip"|"note"|"flag"|"grid"|"help"|"close"} Command */
/** @typedef {{command: Command, value: number, held: boolean}} Press a command; `held` may repeat while the key is down */

/** @type {Record<string, [Command, number, boolean?]>} */
const COMMANDS = {
  " ": ["compare", 1], "+": ["zoom", 1, true], "=": ["zoom", 1, true], "-": ["zoom", -1, true], _: ["zoom", -1, true], 0: ["zoom", 0],
  ArrowLeft: ["move", 0, true], ArrowUp: ["move", 1, true], ArrowRight: ["move", 2, true], ArrowDown: ["move", 3, true],
  Backspace: ["undo", 0], u: ["undo", 0], s: ["skip", 0], t: ["note", 0], f: ["flag", 0], g: ["grid", 0],
  "?": ["help", 0], Escape: ["close", 0],
};

/** Return what a key press means, if anything. @param {KeyboardEvent} event @returns {Press | null} */
export function pressOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code)?.[1] ?? /^[1-5]$/.exec(event.key)?.[0];
  if (digit) return event.repeat ? null : { command: "rate", value: Number(digit), held: false };
  const found = COMMANDS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!found || (event.repeat && !found[2])) return null;
  return { command: found[0], value: found[1], held: found[2] ?? false };
}

/** Tell whether the focused element needs the key for itself. @param {KeyboardEvent} event */
export function isTaken(event) {
  const target = /** @type {Element} */ (event.target);
  if (target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=file])")) return event.key !== "Escape";
  if (target.matches("input[type=radio]")) return event.key === " " || event.key === "Enter" || event.key.startsWith("Arrow");
  if (target.matches("a, button, summary, input")) return event.key === " " || event.key === "Enter";
  return false;
}

/** Tell whether single keys are on in this browser. */
export function keysOn() {
  return localStorage.getItem(SWITCH) !== "off";
}

/** Switch single keys on or off in this browser. @param {boolean} on */
export function switchKeys(on) {
  localStorage.setItem(SWITCH, on ? "on" : "off");
}

/** Return a key for each name: the first free letter of its last word. @param {string[]} names @param {string} taken letters */
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
