/** The rating page: builds its parts and ties keys, buttons and events to them. */

import { placeOf } from "./server.js";
import { Attention } from "./train/attention.js";
import { Comparison } from "./train/comparison.js";
import { takeFiles } from "./train/files.js";
import { Grid } from "./train/grid.js";
import { Guide, Letters } from "./train/guide.js";
import { tabToken } from "./train/ids.js";
import { Images } from "./train/images.js";
import { isTaken, Keymap, Keys } from "./train/keys.js";
import { Outbox } from "./train/outbox.js";
import { Panels } from "./train/panels.js";
import { Queue } from "./train/queue.js";
import { Session } from "./train/session.js";
import { wireSignIn } from "./train/signin.js";
import { Stage } from "./train/stage.js";
import { Store } from "./train/store.js";
import { byId, dialogById, View } from "./train/view.js";
import { Welcome } from "./train/welcome.js";
import { Failure, Wire } from "./train/wire.js";

const LEAST_AHEAD = 4;
const MOST_AHEAD = 60;
const POINTER_GATE_MS = 300; // the second half of a double click
const FATIGUE_CHECK_MS = 1_000;

const main = byId("main");
const KEY_GATE_MS = Number(main.dataset.keyGate); // a bounced key comes sooner than anyone can judge
const rater = main.dataset.rater ?? "";
const csrf = document.querySelector("meta[name=csrf-token]")?.getAttribute("content") ?? "";
const asked = new URLSearchParams(location.search);
const ahead = Math.min(MOST_AHEAD, Math.max(LEAST_AHEAD, Number(asked.get("ahead") ?? main.dataset.ahead) || LEAST_AHEAD));

const wire = new Wire(rater, csrf, await tabToken());
main.dataset.tab = wire.tab;
const store = new Store(rater, wire.tab);
const images = new Images(store);
const outbox = new Outbox(store, wire);
const queue = new Queue(wire, store, images, ahead, asked.get("study") ?? "");
const view = new View(main);
const stageRoot = byId("stage");
const attention = new Attention();
const stage = new Stage(stageRoot, byId("frame"), byId("zoom-level"), byId("split-line"), images, attention);
const comparison = new Comparison(stage, (text) => view.say(text));
const guide = new Guide(wire);
const session = new Session(outbox, queue, images, attention, () => guide.due(queue.study), (item, image) => stage.paint(item, image));
const keys = new Keys();
const letters = new Letters(wire);
const panels = new Panels(keys, (reason) => judge({ skip: reason }, "Skipped."), () => stageRoot.focus({ preventScroll: true }));
const uploads = () => import("./train/upload.js").then(({ Uploads }) => new Uploads(wire, session, images, byId("upload-list"), () => view.askToSignIn()));
const welcome = new Welcome(main, guide, (due) => void session.admit(due), nextOfPractice, () => view.askToSignIn());

let online = true;
let keyed = false; // a key press waits for its next photo
let signedOut = false; // the server has said so, and nothing else since
let gateTimer = 0;
let guideCame = Promise.resolve();

/** Judge the photo on the screen, unless it was not seen yet. @param {Judgement} judgement @param {string} said @param {number} [leastMs] */
function judge(judgement, said, leastMs = KEY_GATE_MS) {
  if (!session.sight || session.sight.seenMs() < leastMs) return;
  performance.mark("palate:key");
  keyed = true;
  const remarks = panels.remarks();
  session.judge(judgement, remarks, said);
  panels.clear();
}

/** @param {number} score @param {number} [leastMs] */
function rate(score, leastMs) {
  judge({ score }, keys.on ? `Saved ${score}. Undo with ${keys.label("undo")}.` : `Saved ${score}. It can be undone.`, leastMs);
}

function openGrid() {
  const item = session.current;
  if (!item || dialogById("grid").open) return;
  const grid = new Grid(session, images, queue.siblings(item));
  byId("grid-body").replaceChildren(grid.element);
  dialogById("grid").showModal();
  grid.cells.find((cell) => cell.item === item || !session.answered.has(cell.item.option_id))?.figure.focus();
  dialogById("grid").addEventListener("close", () => grid.end(), { once: true });
}

/** @type {Record<Command, (value: number) => void>} */
const COMMANDS = {
  rate: (value) => (panels.skipping ? panels.reasons[value - 1]?.click() : rate(value)),
  compare: () => comparison.hold(true),
  slider: () => comparison.turn(),
  zoom: (value) => stage.zoom(value),
  move: (way) => comparison.move(way),
  undo: () => void session.undo(),
  skip: () => panels.toggleSkip(),
  note: () => panels.toggleNote(),
  flag: () => panels.flag(),
  grid: openGrid,
  help: () => dialogById("help").showModal(),
  close: () => panels.close(),
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const press = keys.press(event);
  if (event.key === "Escape") panels.open ? panels.close() : view.dismiss();
  if (isTaken(event) || document.querySelector("dialog[open], :popover-open")) return;
  if (!keys.on && !event.key.startsWith("Arrow")) return;
  if (event.target instanceof Element && event.target.closest(".uploads")) return;
  if (!event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey && panels.letter(event.key)) return event.preventDefault();
  if (event.key === " ") event.preventDefault(); // Space must not scroll, held or not
  if (!press) return;
  event.preventDefault();
  COMMANDS[press.command](press.value);
}

/** A radio rates when it is chosen; arrows only move between them until Enter. */
function wireScores() {
  const scores = byId("scores");
  let byArrow = false;
  scores.addEventListener("keydown", (event) => {
    byArrow = event.key.startsWith("Arrow");
    const chosen = /** @type {HTMLInputElement | null} */ (scores.querySelector(":checked"));
    if (event.key === "Enter" && !event.repeat && chosen) rate(Number(chosen.value));
  });
  scores.addEventListener("pointerdown", () => { byArrow = false; });
  scores.addEventListener("click", (event) => {
    const radio = /** @type {HTMLInputElement} */ (event.target);
    if (!radio.matches("input") || byArrow) return;
    rate(Number(radio.value), event.detail ? POINTER_GATE_MS : KEY_GATE_MS);
    radio.checked = false;
    if (event.detail) stageRoot.focus({ preventScroll: true });
  });
}

function wireButtons() {
  /** @param {Command} command */
  const run = (command) => () => COMMANDS[command](0);
  /** @type {Record<string, () => void>} */
  const clicks = {
    undo: () => void session.undo(), skip: run("skip"), note: run("note"), "flag-open": run("flag"),
    "grid-open": openGrid, "help-open": run("help"), "zoom-in": () => stage.zoom(1), "zoom-out": () => stage.zoom(-1),
    "zoom-fit": () => stage.zoom(0), "upload-open": () => byId("files").click(), "message-retry": () => void session.resume(),
    "banner-retry": () => void goOn(),
    "keys-toggle": () => { keys.turn(!keys.on); view.keys(keys.on); },
    "notice-on": () => { attention.rest(); view.dismiss(); stageRoot.focus({ preventScroll: true }); }, "notice-stop": stop,
  };
  for (const [id, act] of Object.entries(clicks)) {
    byId(id).addEventListener("click", (event) => {
      act();
      if (event.detail && !panels.open && id.startsWith("zoom")) stageRoot.focus({ preventScroll: true });
    });
  }
}

/** Stop where the notice asked whether to. */
function stop() {
  session.rest(/** @type {Rest} */ (byId("notice").dataset.why));
  view.dismiss();
  byId("message-retry").focus({ preventScroll: true });
}

/** Tell at once what is kept, and ask for more. */
async function goOn() {
  await outbox.flush(true);
  await session.lease(true);
}

/** Ask for a break once somebody worked long without one. */
function watchFatigue() {
  attention.watch(document);
  setInterval(() => {
    if (!session.current || attention.sinceBreak() < Number(main.dataset.breakAfter) * 1000) return;
    view.notice("break");
    attention.rest();
  }, FATIGUE_CHECK_MS);
}

function nextOfPractice() {
  welcome.endLesson();
  stageRoot.focus({ preventScroll: true });
  void session.advance();
}

/** Have the guide of the study that is on: what this browser keeps, and what the server says now. @param {string} study */
async function takeGuide(study) {
  if (guide.told?.study.id === study) return;
  const isFetched = guide.restore(study);
  showGuide();
  if (isFetched) return;
  try {
    await guide.load(study);
    showGuide();
  } catch (error) {
    if (!(error instanceof Failure)) throw error; // it is asked for again with the next photos
  }
}

function showGuide() {
  panels.offer(guide.told?.tags ?? {});
  guide.showIn(byId("guide"));
  guide.showChoice();
}

/** Ask for what is due before photos are shown. @param {Onboarding} due */
async function ask(due) {
  view.close();
  await guideCame;
  const study = session.study || queue.study;
  if (!guide.tells(study)) await takeGuide(study);
  if (!guide.tells(study)) return view.state("offline", "What you are to be told first is not in this browser yet.");
  view.state("welcome", "");
  welcome.show(due);
}

/** @param {EventTarget} target @param {string} name @param {(detail: any) => void} hear */
function on(target, name, hear) {
  target.addEventListener(name, (event) => hear(/** @type {CustomEvent} */ (event).detail));
}

function syncView() {
  view.sync(outbox, online, queue.length);
  view.progress(outbox.gain);
  const isOut = outbox.state === "signin";
  if (isOut && !signedOut) view.askToSignIn(); // once: who has just signed in again rates on while the rest is told
  signedOut = isOut;
}

function onPainted() {
  performance.mark("palate:painted");
  if (keyed) performance.measure("palate:next", "palate:key", "palate:painted");
  for (const name of ["palate:key", "palate:painted"]) performance.clearMarks(name); // who rates for hours makes many
  performance.clearMeasures("palate:next");
  keyed = false;
  view.shown();
  clearTimeout(gateTimer);
  gateTimer = setTimeout(() => view.gate(session.sight !== null), KEY_GATE_MS);
}

/** @param {Item | null} item */
function onItem(item) {
  clearTimeout(gateTimer);
  welcome.endLesson();
  stage.expect(item);
  view.expect();
  comparison.end();
  offerUndo();
}

function offerUndo() {
  /** @type {HTMLButtonElement} */ (byId("undo")).disabled = session.history.length === 0;
}

function wireEvents() {
  on(session, "item", onItem);
  on(session, "painted", onPainted);
  on(session, "say", (text) => view.say(text));
  on(session, "progress", (progress) => view.progress(outbox.gain, progress));
  on(session, "failed", () => view.askToSignIn());
  on(session, "study", (study) => { byId("study-name").textContent = study?.name ?? ""; if (study) guideCame = takeGuide(study.id); });
  on(session, "admitted", () => guide.admitted(queue.study));
  on(session, "letter", (turn) => { letters.show(turn.from_admin ?? null, turn.study?.id ?? ""); view.uploads(turn); });
  on(session, "due", (due) => void ask(due));
  on(session, "waiting", () => view.gate(false));
  on(session, "lesson", (lesson) => welcome.teach(lesson));
  on(session, "state", ({ state, message }) => {
    view.state(state, message);
    if (state !== "loading") view.close();
    offerUndo();
  });
  on(session, "online", (is) => { online = is; syncView(); });
  on(outbox, "change", syncView);
  on(outbox, "progress", (progress) => view.progress(outbox.gain, progress));
  on(outbox, "refused", (message) => view.say(`An answer was not accepted: ${message}`));
  document.addEventListener("keydown", onKey);
  document.addEventListener("keyup", (event) => keys.actionOf(event)?.command === "compare" && comparison.hold(false));
}

/** Keep the page itself for a reload without network, where the connection is trusted and the browser allows it. */
async function keepShell() {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register(main.dataset.worker ?? placeOf("/sw.js"));
  } catch {
    return; // forbidden, or not reached: it is asked for again with the next load
  }
  const { active } = await navigator.serviceWorker.ready;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => new URL(name).pathname.startsWith(placeOf("/static/")));
  active?.postMessage({ keep: [...new Set(loaded)] });
}

wireEvents();
wireButtons();
wireScores();
wireSignIn(wire, goOn);
watchFatigue();
new Keymap(keys, () => panels.assign());
takeFiles(uploads, () => main.dataset.uploads === "on", (words) => view.say(words), /** @type {HTMLInputElement} */ (byId("files")), byId("dropping"));
view.keys(keys.on);
view.expect();
await session.start();
await keepShell();
