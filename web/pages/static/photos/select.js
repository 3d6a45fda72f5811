/** Choosing photos of the grid: a run of them with shift, all of the page, or all that match; and how many that are. */

/** Serve a form of photos. @param {HTMLFormElement} form */
function serve(form) {
  const find = (/** @type {string} */ what) => /** @type {HTMLInputElement} */ (form.querySelector(what));
  const [every, all, said] = [find("[data-every]"), find("[data-all]"), find("[data-chosen]")];
  const ones = [.../** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[data-one]"))];
  const acts = /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("[data-act]"));
  let last = -1;

  function tell() {
    const count = ones.filter((one) => one.checked).length;
    every.checked = count === ones.length;
    every.indeterminate = count > 0 && count < ones.length;
    for (const one of [every, ...ones]) one.disabled = all.checked;
    for (const act of acts) act.disabled = !all.checked && count === 0;
    said.textContent = all.checked || count === 0 ? "" : `${count} chosen`;
  }

  ones.forEach((one, place) => {
    one.addEventListener("click", (event) => {
      if (event.shiftKey && last >= 0) {
        for (const other of ones.slice(Math.min(last, place), Math.max(last, place) + 1)) other.checked = one.checked;
      }
      last = place;
      tell();
    });
  });
  every.addEventListener("change", () => {
    for (const one of ones) one.checked = every.checked;
    tell();
  });
  all.addEventListener("change", tell);
  addEventListener("pageshow", tell); // browsers fill a page in again that one comes back to
  tell();
}

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-choosing]"));
if (form) serve(form);
