/**
 * Opens what a link of a list leads to beside the list: the part of its page marked `data-item`, in a dialog. Without
 * this script, or with a key held that opens a new tab, the link leads to the page as always.
 */

const box = document.querySelector("[data-drawer-box]");
const body = box?.querySelector("[data-drawer-body]");
const note = box?.querySelector("[data-drawer-note]");
const steps = [...(box?.querySelectorAll("[data-drawer-step]") ?? [])];
const shut = box?.querySelector("[data-drawer-close]");
let places = [];
let at = 0;

/** Show the item at a place of the list. @param {number} place */
async function show(place) {
  at = place;
  const address = places[at];
  box.querySelector("[data-drawer-page]").href = address;
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

function step(by) {
  if (places[at + by]) show(at + by);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (!box || !link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  places = [...new Set([...document.querySelectorAll("a[data-drawer]")].map((one) => one.href))];
  body.replaceChildren();
  box.showModal();
  show(places.indexOf(link.href));
});
for (const button of steps) button.addEventListener("click", () => step(Number(button.dataset.drawerStep)));
shut?.addEventListener("click", () => box.close());
box?.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by && !event.target.closest("input, select, textarea, .table-wrap")) step(by);
});
