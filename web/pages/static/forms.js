/** Small helps for forms: ask before what cannot be undone, send a choice at once, say that an upload runs. */

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  const said = /** @type {HTMLElement | null} */ (form.querySelector("[data-busy]"));
  if (said) said.textContent = said.dataset.busy ?? "";
});

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-autosubmit]"))) {
  form.querySelectorAll("button").forEach((button) => { button.hidden = true; });
  form.addEventListener("change", () => form.requestSubmit());
}
