/**
 * The stage: paints one item at a size known beforehand, zooms and moves it, and shows its original in the same place.
 * Zoom and place stay from item to item, so that the same detail can be looked at in each.
 */

import { Gestures } from "./gestures.js";
import { ImageFailure } from "./images.js";
import { painted, Sight } from "./attention.js";

const LARGEST_ENLARGEMENT = 2; // of a small photo fitted to a large window
const MAX_ZOOM = 16;
const STEP = 1.25;
const TAPPED_ZOOM = 2.5;
const GRIP_PX = 28; // of the slider's line, to each side

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.min(most, Math.max(least, value));

/** Shows one photo. Its root hears "split" when the slider was dragged. */
export class Stage {
  #zoom = 1;
  #x = 0; // of the zoomed width, from the centre
  #y = 0;
  #part = 0.5; // of the photo in sight that the slider leaves to the original
  #width = 1;
  #height = 1;
  #held = false; // the original is asked for
  #sliding = false;
  /** @type {Item | null} */
  #item = null;

  /**
   * @param {HTMLElement} root @param {HTMLElement} frame @param {HTMLElement} level @param {HTMLElement} line
   * @param {Images} images @param {Attention} attention
   */
  constructor(root, frame, level, line, images, attention) {
    this.root = root;
    this.frame = frame;
    this.level = level;
    this.line = line;
    this.images = images;
    this.attention = attention;
    new ResizeObserver(() => this.#lay()).observe(root);
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new Gestures(root, {
      grab: ({ x }) => this.#sliding && (this.#zoom === 1 || Math.abs(x - this.line.offsetLeft) < GRIP_PX),
      slide: (x) => this.#slideTo(x),
      drag: (dx, dy) => this.#drag(dx, dy),
      pinch: (factor, spot) => this.#zoomTo(this.#zoom * factor, spot),
      tap: (spot) => this.#zoom > 1 && this.#centre(spot),
      doubleTap: (spot) => (this.#zoom > 1 ? this.zoom(0) : this.#zoomTo(TAPPED_ZOOM, spot)),
    });
  }

  /** Make room for an item; its image comes with `paint`. @param {Item | null} item */
  expect(item) {
    this.#item = item;
    this.#held = this.#sliding = false;
    this.frame.replaceChildren();
    this.frame.hidden = !item;
    if (item) [this.#width, this.#height] = [item.width, item.height];
    this.#lay();
  }

  /** Show the item's image; resolves with a Sight once it is on the screen. @param {Item} item @param {HTMLImageElement} image */
  async paint(item, image) {
    image.alt = "Variant";
    image.className = "variant";
    this.frame.replaceChildren(image);
    this.frame.hidden = false;
    void this.#addOriginal(item);
    await painted();
    return new Sight(this.attention);
  }

  /** @param {Item} item */
  async #addOriginal(item) {
    try {
      const image = await this.images.load(item.source_url);
      if (this.#item !== item) return;
      image.alt = "Original";
      image.className = "original";
      this.frame.prepend(image);
      this.#lay();
    } catch (error) {
      if (!(error instanceof ImageFailure)) throw error;
    }
  }

  /** Tell whether the original is there. */
  get hasOriginal() {
    return this.frame.querySelector(".original") !== null;
  }

  /** Tell what is shown. @returns {"variant"|"original"|"slider"} */
  get view() {
    if (!this.hasOriginal) return "variant";
    return this.#held ? "original" : this.#sliding ? "slider" : "variant";
  }

  /** Show the original or the variant; returns false when the original is not there yet. @param {boolean} on */
  compare(on) {
    this.#held = on;
    this.#lay();
    return this.hasOriginal || !on;
  }

  /** Lay original and variant side by side under a line that moves, or not; returns false when the original is not there yet. @param {boolean} on */
  slider(on) {
    this.#sliding = on && this.hasOriginal;
    this.#lay();
    return this.hasOriginal || !on;
  }

  /** Return how much of the photo in sight the slider leaves to the original, or set it. @param {number} [part] 0 to 1 */
  split(part = this.#part) {
    this.#part = within(part, 0, 1);
    this.#lay();
    return this.#part;
  }

  /** Zoom by steps, 0 fits. @param {number} steps */
  zoom(steps) {
    if (steps === 0) this.#x = this.#y = 0;
    const { clientWidth, clientHeight } = this.root;
    this.#zoomTo(steps === 0 ? 1 : this.#zoom * STEP ** steps, { x: clientWidth / 2, y: clientHeight / 2 });
  }

  /** Zoom so that what is at a spot stays there. @param {number} zoom @param {Spot} spot */
  #zoomTo(zoom, spot) {
    const after = within(zoom, 1, MAX_ZOOM);
    const { width, height } = this.#fitted();
    const { x, y } = this.#place();
    const [right, down] = [spot.x - this.root.clientWidth / 2, spot.y - this.root.clientHeight / 2];
    this.#x = (right - (right - x * width * this.#zoom) * (after / this.#zoom)) / (width * after);
    this.#y = (down - (down - y * height * this.#zoom) * (after / this.#zoom)) / (height * after);
    this.#zoom = after;
    this.#settle();
  }

  /** Move the view by parts of the stage. @param {number} right @param {number} down */
  move(right, down) {
    this.#drag(-right * this.root.clientWidth, -down * this.root.clientHeight);
  }

  /** @param {Spot} spot */
  #centre(spot) {
    this.#drag(this.root.clientWidth / 2 - spot.x, this.root.clientHeight / 2 - spot.y);
  }

  /** @param {number} dx pixels @param {number} dy pixels */
  #drag(dx, dy) {
    const { width, height } = this.#fitted();
    const { x, y } = this.#place();
    this.#x = x + dx / (width * this.#zoom);
    this.#y = y + dy / (height * this.#zoom);
    this.#settle();
  }

  /** @param {number} x pixels of the stage */
  #slideTo(x) {
    const { left, right } = this.#inSight();
    this.split((x - left) / Math.max(1, right - left));
    this.root.dispatchEvent(new Event("split"));
  }

  /** Return the size at which the photo fits the stage, in CSS pixels. */
  #fitted() {
    const { clientWidth, clientHeight } = this.root;
    const scale = Math.min(clientWidth / this.#width, clientHeight / this.#height, LARGEST_ENLARGEMENT);
    return { width: Math.max(1, this.#width * scale), height: Math.max(1, this.#height * scale) };
  }

  /** Return the centre that this photo can have: the one wished for, or the nearest. */
  #place() {
    const { width, height } = this.#fitted();
    const reachX = Math.max(0, (1 - this.root.clientWidth / (width * this.#zoom)) / 2);
    const reachY = Math.max(0, (1 - this.root.clientHeight / (height * this.#zoom)) / 2);
    return { x: within(this.#x, -reachX, reachX), y: within(this.#y, -reachY, reachY) };
  }

  /** Return the photo's edges, and those of the part of it that is in sight, in pixels of the stage. */
  #inSight() {
    const { width } = this.#fitted();
    const edge = this.root.clientWidth / 2 + (this.#place().x - 0.5) * width * this.#zoom;
    const full = width * this.#zoom;
    return { edge, full, left: Math.max(0, edge), right: Math.min(this.root.clientWidth, edge + full) };
  }

  /** Wish for what there is from now on. */
  #settle() {
    ({ x: this.#x, y: this.#y } = this.#place());
    this.#lay();
  }

  #lay() {
    const { width, height } = this.#fitted();
    const { x, y } = this.#place();
    const { style } = this.frame;
    style.width = `${width}px`;
    style.height = `${height}px`;
    const left = x * width * this.#zoom - width / 2;
    const top = y * height * this.#zoom - height / 2;
    style.transform = `translate(${left}px, ${top}px) scale(${this.#zoom})`;
    this.root.toggleAttribute("data-zoomed", this.#zoom > 1);
    this.root.dataset.view = this.view;
    this.#layLine();
    this.level.textContent = this.#zoom > 1 ? `×${this.#zoom.toFixed(1)}` : "fit";
  }

  #layLine() {
    const { edge, full, left, right } = this.#inSight();
    const at = left + this.#part * (right - left);
    this.line.style.left = `${at}px`;
    this.frame.style.setProperty("--split", `${((at - edge) / full) * 100}%`);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey && this.#zoom === 1) return;
    event.preventDefault();
    const { left, top } = this.root.getBoundingClientRect();
    this.#zoomTo(this.#zoom * (event.deltaY < 0 ? STEP : 1 / STEP), { x: event.clientX - left, y: event.clientY - top });
  }
}
