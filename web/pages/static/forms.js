/** Small helps for forms: ask before what cannot be undone, send a choice at once, say that an upload runs and why it failed. */

import { isOurs, strangersWords } from "./server.js";

/** Send a form with files and go where the answer leads; of what a proxy answers, only words are shown. @param {HTMLFormElement} form @param {(words: string) => void} tell */
async function sendFiles(form, tell) {
  let answer, page;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return tell("The server could not be reached. Nothing was sent.");
  }
  if (!isOurs(page)) return tell(strangersWords(answer.status));
  if (answer.redirected && answer.url !== location.href.replace(/#.*/, "")) return location.assign(answer.url);
  if (answer.redirected) return location.reload();
  document.querySelector("main")?.replaceWith(.../** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("main")));
  scrollTo(0, 0);
}

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  const said = /** @type {HTMLElement | null} */ (form.querySelector("[data-busy]"));
  const tell = (/** @type {string} */ words) => { if (said) said.textContent = words; };
  tell(said?.dataset.busy ?? "");
  if (!form.querySelector("input[type=file]")) return;
  event.preventDefault();
  void sendFiles(form, tell);
});

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-autosubmit]"))) {
  form.querySelectorAll("button").forEach((button) => { button.hidden = true; });
  form.addEventListener("change", () => form.requestSubmit());
}
