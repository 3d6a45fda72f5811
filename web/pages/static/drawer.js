/**
 * Opens what a link of a list leads to beside the list: the part of its page marked `data-item`, in a dialog. Without
 * this script, or with a key held that opens a new tab, the link leads to the page as always.
 */

const STEPS = new Map([["ArrowLeft", -1], ["ArrowRight", 1]]);
/** @type {string[]} */
let places = [];
let at = 0;

/** Serve a dialog. @param {HTMLDialogElement} box */
function serve(box) {
  const within = (/** @type {string} */ part) => /** @type {HTMLElement} */ (box.querySelector(`[data-drawer-${part}]`));
  const [body, note, shut] = [within("body"), within("note"), within("close")];
  const whole = /** @type {HTMLAnchorElement} */ (within("page"));
  const steps = /** @type {NodeListOf<HTMLButtonElement>} */ (box.querySelectorAll("[data-drawer-step]"));

  /** Show the item at a place of the list. @param {number} place */
  async function show(place) {
    at = place;
    const address = places[at];
    whole.href = address;
    for (const step of steps) {
      step.disabled = !places[at + Number(step.dataset.drawerStep)];
      if (step.disabled && step === document.activeElement) shut.focus(); // or keys would go nowhere
    }
    note.textContent = "Loading…";
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (places[at] !== address) return;
      body.replaceChildren(...page.querySelectorAll("[data-item]"));
      note.textContent = "";
      box.scrollTop = 0;
    } catch {
      if (places[at] === address) note.textContent = "This did not load. Open it as a page, or try again.";
    }
  }

  /** Show a neighbour, if there is one. @param {number} by */
  function step(by) {
    if (places[at + by]) show(at + by);
  }

  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest("a[data-drawer]"));
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-drawer]"));
    places = [...new Set([...links].map((one) => one.href))];
    body.replaceChildren();
    box.showModal();
    show(places.indexOf(link.href));
  });
  for (const button of steps) button.addEventListener("click", () => step(Number(button.dataset.drawerStep)));
  shut.addEventListener("click", () => box.close());
  box.addEventListener("keydown", (event) => {
    const by = STEPS.get(event.key);
    const typed = /** @type {Element} */ (event.target).closest("input, select, textarea, .table-wrap");
    if (by && !typed) step(by);
  });
}

const box = /** @type {HTMLDialogElement | null} */ (document.querySelector("[data-drawer-box]"));
if (box) serve(box);
