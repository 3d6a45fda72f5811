/** Small helps for forms: ask before what cannot be undone, and send a choice at once. */

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const asked = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (asked && !confirm(asked)) event.preventDefault();
});

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-autosubmit]"))) {
  form.querySelectorAll("button").forEach((button) => { button.hidden = true; });
  form.addEventListener("change", () => form.requestSubmit());
}
