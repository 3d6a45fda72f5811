/** Which study is rated: arrows move among the choices, and what waits is asked for anew whenever they are shown. */

import { placeOf } from "../server.js";
import { byId } from "./view.js";

const menu = byId("chooser");
const choices = [...menu.querySelectorAll("button")];
const WAYS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** Move the focus. @param {KeyboardEvent} event */
function move(event) {
  const way = WAYS[/** @type {keyof typeof WAYS} */ (event.key)];
  if (!way) return;
  event.preventDefault();
  const here = choices.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  choices[Math.min(choices.length - 1, Math.max(0, here + way))].focus();
}

/** Say which studies have photos now; without network what was known stays. */
async function tell() {
  const response = await fetch(placeOf("/api/train/studies"), { headers: { Accept: "application/json" } }).catch(() => undefined);
  if (!response?.ok) return;
  /** @type {{studies: {id: string, waits: boolean}[]}} */
  const { studies } = await response.json();
  for (const { id, waits } of studies) {
    const place = menu.querySelector(`[data-study="${id}"]`);
    if (place) place.textContent = waits ? "photos waiting" : "none now";
  }
}

menu.addEventListener("keydown", move);
menu.addEventListener("toggle", (event) => void (/** @type {ToggleEvent} */ (event).newState === "open" && tell()));
