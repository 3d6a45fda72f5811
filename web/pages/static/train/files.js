/** The ways in which a rater gives photos; what takes them in is loaded with the first, as few raters need it. */

import { takeDrops } from "../elements.js";

/**
 * Take photos dropped anywhere, pasted, or chosen.
 * @param {() => Promise<import("./upload.js").Uploads>} load @param {() => boolean} welcome tells whether any are taken @param {(words: string) => void} say @param {HTMLInputElement} input @param {HTMLElement} curtain
 */
export function takeFiles(load, welcome, say, input, curtain) {
  /** @type {Promise<import("./upload.js").Uploads> | undefined} */
  let uploads;
  /** @param {File[]} files */
  const take = async (files) => {
    if (!welcome()) return say("This study takes no photos of raters.");
    try {
      (await (uploads ??= load())).add(files);
    } catch {
      uploads = undefined;
      say("The server is out of reach. Choose the photos again once it is back.");
    }
  };
  takeDrops((over) => { curtain.hidden = !over || !welcome(); }, (transfer) => void take([...transfer.files]));
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (files?.length) void take([...files]);
  });
  input.addEventListener("change", () => {
    void take([...(input.files ?? [])]);
    input.value = "";
  });
}
