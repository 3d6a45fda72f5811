/** A button that copies a field that is shown once. */

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) {
  button.addEventListener("click", async () => {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copy ?? ""));
    field.select();
    const said = /** @type {HTMLElement} */ (document.getElementById("copied"));
    if (!navigator.clipboard) { // only there on https and on this machine
      said.textContent = "Selected: press Ctrl+C or ⌘C to copy.";
      return;
    }
    await navigator.clipboard.writeText(field.value);
    said.textContent = "Copied.";
  });
}
