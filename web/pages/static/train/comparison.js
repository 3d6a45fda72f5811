/** The tools that hold the original beside the photo: for as long as a key is held, or under a line that moves. */

import { byId } from "./view.js";

const STEP = 0.05;

/** Ties the stage's comparisons to their buttons, and says how they stand. */
export class Comparison {
  #range = /** @type {HTMLInputElement} */ (byId("split"));

  /** @param {Stage} stage @param {(text: string) => void} say */
  constructor(stage, say) {
    this.stage = stage;
    this.say = say;
    this.#wireHold();
    byId("slider").addEventListener("click", () => this.turn());
    byId("split-left").addEventListener("click", () => this.split(stage.split() - STEP));
    byId("split-right").addEventListener("click", () => this.split(stage.split() + STEP));
    this.#range.addEventListener("input", () => this.split(Number(this.#range.value) / 100));
    stage.root.addEventListener("split", () => this.split());
  }

  /** Show the original while a key or button is held. @param {boolean} on */
  hold(on) {
    if (!this.stage.compare(on)) this.say("The original is still loading.");
    byId("compare").setAttribute("aria-pressed", String(on));
  }

  /** Show original and variant under a line, or the variant alone. @param {boolean} [on] the other than now, unless told */
  turn(on = this.stage.view !== "slider") {
    if (!this.stage.slider(on)) this.say("The original is still loading.");
    const shown = this.stage.view === "slider";
    byId("slider").setAttribute("aria-pressed", String(shown));
    byId("split-tools").hidden = !shown;
    if (shown) this.split();
  }

  /** Say where the line is, or set it. @param {number} [part] of the photo in sight that is the original */
  split(part) {
    const set = Math.round(this.stage.split(part) * 100);
    this.#range.value = String(set);
    this.#range.setAttribute("aria-valuetext", `${set} % original`);
  }

  /** Move the line while it is there, the photo otherwise. @param {number} way 0 to 3: left, up, right, down */
  move(way) {
    if (this.stage.view === "slider" && way % 2 === 0) this.split(this.stage.split() + (way - 1) * STEP);
    else this.stage.move([-0.15, 0, 0.15, 0][way], [0, -0.15, 0, 0.15][way]);
  }

  /** Begin the next photo with the variant alone. */
  end() {
    byId("compare").setAttribute("aria-pressed", "false");
    this.turn(false);
  }

  #wireHold() {
    const button = byId("compare");
    button.addEventListener("pointerdown", () => this.hold(true));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(end, () => this.hold(false));
    button.addEventListener("click", (event) => event.detail || this.hold(this.stage.view !== "original"));
    addEventListener("blur", () => this.hold(false));
  }
}
