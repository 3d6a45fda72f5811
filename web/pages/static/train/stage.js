/**
 * The stage: paints one item at a size known beforehand, zooms and moves it, and shows its original in the same place.
 *
 * @typedef {import("./store.js").Item} Item
 */

import { ImageFailure } from "./images.js";
import { painted, Sight } from "./sight.js";

const LARGEST_ENLARGEMENT = 2; // of a small photo fitted to a large window
const MAX_ZOOM = 16;
const STEP = 1.25;

/** Shows one photo. */
export class Stage {
  #zoom = 1;
  #x = 0; // of the zoomed width, from the centre
  #y = 0;
  #width = 1;
  #height = 1;
  /** @type {Item | null} */
  #item = null;

  /** @param {HTMLElement} root @param {HTMLElement} frame @param {HTMLElement} level @param {import("./images.js").Images} images */
  constructor(root, frame, level, images) {
    this.root = root;
    this.frame = frame;
    this.level = level;
    this.images = images;
    new ResizeObserver(() => this.#lay()).observe(root);
    this.#listen();
  }

  /** Make room for an item; its image comes with `paint`. @param {Item | null} item */
  expect(item) {
    this.#item = item;
    this.compare(false);
    this.frame.replaceChildren();
    this.#width = item?.width ?? 1;
    this.#height = item?.height ?? 1;
    this.frame.hidden = !item;
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
    return new Sight();
  }

  /** @param {Item} item */
  async #addOriginal(item) {
    try {
      const image = await this.images.load(item.source_url);
      if (this.#item !== item) return;
      image.alt = "Original";
      image.className = "original";
      this.frame.append(image);
    } catch (error) {
      if (!(error instanceof ImageFailure)) throw error;
    }
  }

  /** Show the original or the variant; returns false when the original is not there yet. @param {boolean} on */
  compare(on) {
    const there = this.frame.querySelector(".original") !== null;
    this.root.dataset.view = on && there ? "original" : "variant";
    return there || !on;
  }

  /** Zoom by steps, 0 fits. @param {number} steps */
  zoom(steps) {
    if (steps === 0) this.#x = this.#y = 0;
    this.#zoom = steps === 0 ? 1 : Math.min(MAX_ZOOM, Math.max(1, this.#zoom * STEP ** steps));
    this.#lay();
  }

  /** Move the view by parts of the stage. @param {number} right @param {number} down */
  move(right, down) {
    const { width, height } = this.root.getBoundingClientRect();
    this.#drag(-right * width, -down * height);
  }

  /** @param {number} dx pixels @param {number} dy pixels */
  #drag(dx, dy) {
    const { width, height } = this.#fitted();
    this.#x += dx / (width * this.#zoom);
    this.#y += dy / (height * this.#zoom);
    this.#lay();
  }

  /** Return the size at which the photo fits the stage, in CSS pixels. */
  #fitted() {
    const { clientWidth, clientHeight } = this.root;
    const scale = Math.min(clientWidth / this.#width, clientHeight / this.#height, LARGEST_ENLARGEMENT);
    return { width: Math.max(1, this.#width * scale), height: Math.max(1, this.#height * scale) };
  }

  /** Return how far the centre may be moved, as a part of the zoomed length. @param {number} length @param {number} room */
  #reach(length, room) {
    return Math.max(0, (1 - room / (length * this.#zoom)) / 2);
  }

  #lay() {
    const { width, height } = this.#fitted();
    const reachX = this.#reach(width, this.root.clientWidth);
    const reachY = this.#reach(height, this.root.clientHeight);
    this.#x = Math.min(reachX, Math.max(-reachX, this.#x));
    this.#y = Math.min(reachY, Math.max(-reachY, this.#y));
    const { style } = this.frame;
    style.width = `${width}px`;
    style.height = `${height}px`;
    const left = this.#x * width * this.#zoom - width / 2;
    const top = this.#y * height * this.#zoom - height / 2;
    style.transform = `translate(${left}px, ${top}px) scale(${this.#zoom})`;
    this.root.toggleAttribute("data-zoomed", this.#zoom > 1);
    this.level.textContent = this.#zoom > 1 ? `×${this.#zoom.toFixed(1)}` : "fit";
  }

  #listen() {
    this.root.addEventListener("pointermove", (event) => {
      if (event.buttons & 1 && this.#zoom > 1 && this.root.hasPointerCapture(event.pointerId)) {
        this.#drag(event.movementX, event.movementY);
      }
    });
    this.root.addEventListener("pointerdown", (event) => {
      const onPhoto = event.target instanceof Element && !event.target.closest("button, .drawer");
      if (onPhoto && this.#zoom > 1) this.root.setPointerCapture(event.pointerId);
    });
    this.root.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && this.#zoom === 1) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
  }
}
