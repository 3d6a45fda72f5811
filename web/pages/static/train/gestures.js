/** Fingers, pen and mouse on the stage: drag, pinch, tap and double tap, told in pixels of the stage. */

const STILL_PX = 6;
const DOUBLE_MS = 320;
const DOUBLE_PX = 30;
const CONTROLS = "button, input, label, .drawer, .stage-message, .notice-bar";

/** @param {Spot[]} spots */
const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
/** @param {Spot} a @param {Spot} b */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

/** Follows the pointers that are down on an element. */
export class Gestures {
  /** @type {Map<number, Spot>} */
  #down = new Map();
  #sliding = false;
  #way = 0; // moved since the first pointer came down; two fingers are never a tap
  #tapped = { at: -DOUBLE_MS, x: 0, y: 0 };

  /** @param {HTMLElement} root @param {Hand} hand */
  constructor(root, hand) {
    this.root = root;
    this.hand = hand;
    root.addEventListener("pointerdown", (event) => this.#press(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#lift(event, true));
    for (const end of ["pointercancel", "lostpointercapture"]) {
      root.addEventListener(end, (event) => this.#lift(/** @type {PointerEvent} */ (event), false));
    }
  }

  /** @param {PointerEvent} event @returns {Spot} */
  #spot(event) {
    const { left, top } = this.root.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest(CONTROLS))) return;
    const spot = this.#spot(event);
    this.#down.set(event.pointerId, spot);
    this.#way = this.#down.size === 1 ? 0 : STILL_PX + 1;
    this.#sliding = this.#down.size === 1 && this.hand.grab(spot);
    this.root.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#down.get(event.pointerId);
    if (!before) return;
    const spot = this.#spot(event);
    const was = [...this.#down.values()];
    this.#down.set(event.pointerId, spot);
    this.#way += distance(before, spot);
    if (was.length === 1 && this.#sliding) this.hand.slide(spot.x);
    else if (was.length === 1) this.hand.drag(spot.x - before.x, spot.y - before.y);
    else this.#pinch(was, [...this.#down.values()]);
  }

  /** @param {Spot[]} was @param {Spot[]} is */
  #pinch(was, is) {
    const [from, to] = [middle(was), middle(is)];
    this.hand.pinch(distance(is[0], is[1]) / Math.max(1, distance(was[0], was[1])), to);
    this.hand.drag(to.x - from.x, to.y - from.y);
  }

  /** @param {PointerEvent} event @param {boolean} tapped */
  #lift(event, tapped) {
    const spot = this.#down.get(event.pointerId);
    if (!spot || !this.#down.delete(event.pointerId) || !tapped || this.#way > STILL_PX || this.#sliding) return;
    const again = event.timeStamp - this.#tapped.at < DOUBLE_MS && distance(spot, this.#tapped) < DOUBLE_PX;
    this.#tapped = { at: again ? -DOUBLE_MS : event.timeStamp, ...spot };
    if (again) this.hand.doubleTap(spot);
    else this.hand.tap(spot);
  }
}
