/** The part of the help in which each key can be changed, and the labels that tell keys all over the page. */

import { make } from "./grid.js";
import { ACTIONS } from "./keys.js";
import { byId } from "./view.js";

/** Lists every action with its key; a button waits for the new one. */
export class Keymap {
  /** @type {HTMLButtonElement | null} waits for a key */
  #waiting = null;

  /** @param {import("./keys.js").Keys} keys @param {() => void} onChange */
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

  /** @param {import("./keys.js").Action} action */
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
