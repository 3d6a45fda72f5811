"""What the outbox does between two steps of the browser's database, which no real one can be stopped at."""

from tests.journeys.conftest import Visit
from tests.journeys.server import Server

WORLD = """
  const { Outbox } = await import("/static/train/outbox.js");
  const { StoreFailure } = await import("/static/train/store.js");
  const told = [], pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
  const wire = { call: async (method, path, { answers }) => {
    told.push(...answers.map((answer) => answer.id));
    return { verdicts: answers.map(({ id }) => ({ id, verdict: "stored" })), progress: {} };
  } };
  const settled = async () => { for (let i = 0; i < 100 && outbox.pending; i += 1) await pause(10); await pause(50); };
"""
BETWEEN_TWO_STEPS = """async (writing) => {
  WORLD
  let stored = [], late;
  const store = Object.assign(new EventTarget(), {
    rater: "somebody",
    addAnswer: async (entry) => { await pause(writing); stored.push({ ...entry }); },
    settle: async (ruled) => { const gone = new Set(ruled); stored = stored.filter(({ seq }) => !gone.has(seq)); },
    untold: async () => {
      const seen = [...stored];
      if (told.length && !seen.length && !late) {
        late = outbox.answer({ id: "second", option_id: "second", score: 4 }, {});
        await pause(10);  // it is taken, and perhaps written, while this look, which does not know of it, is on its way
      }
      return seen;
    },
  });
  const outbox = new Outbox(store, wire);
  let lied = outbox.state === "saved";
  outbox.addEventListener("change", () => { lied ||= Boolean(late) && !outbox.pending && !told.includes("second"); });
  await outbox.answer({ id: "first", option_id: "first", score: 3 }, {});
  while (!late) await pause(10);
  await settled();
  return { told, pending: outbox.pending, state: outbox.state, lied };
}""".replace("WORLD", WORLD)
NOT_DROPPED = """async () => {
  WORLD
  const stored = [];
  const store = Object.assign(new EventTarget(), {
    rater: "somebody",
    addAnswer: async (entry) => { stored.push({ ...entry }); },
    settle: async () => { throw new StoreFailure("Not now."); },
    untold: async () => [...stored],
  });
  const outbox = new Outbox(store, wire);
  for (const id of ["first", "second"]) {
    await outbox.answer({ id, option_id: id, score: 3 }, {});
    await settled();
  }
  return { told, pending: outbox.pending, state: outbox.state };
}""".replace("WORLD", WORLD)


def test_an_answer_given_while_the_outbox_counts_is_told_and_not_called_saved_before(
    server: Server, visit: Visit
) -> None:
    page = visit().new_page()
    page.goto("/sign-in")
    for writing in (0, 5, 30):
        found = page.evaluate(BETWEEN_TWO_STEPS, writing)
        assert found == {"told": ["first", "second"], "pending": 0, "state": "saved", "lied": False}, writing


def test_what_was_told_and_cannot_be_dropped_is_told_once(server: Server, visit: Visit) -> None:
    page = visit().new_page()
    page.goto("/sign-in")
    found = page.evaluate(NOT_DROPPED)
    assert found == {"told": ["first", "second"], "pending": 0, "state": "saved"}
