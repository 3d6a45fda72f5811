"""What the outbox does between two steps of the browser's database, which no real one can be stopped at."""

from tests.journeys.conftest import Visit
from tests.journeys.server import Server

BETWEEN_TWO_STEPS = """async () => {
  const { Outbox } = await import("/static/train/outbox.js");
  let stored = [], seq = 0, looks = 0, open, late;
  const told = [];
  const store = {
    rater: "somebody",
    addAnswer: async (entry) => { stored.push({ ...entry, seq: ++seq }); },
    settle: async (entries) => { stored = stored.filter((one) => !entries.some((told) => told.id === one.id)); },
    head: async () => {
      const seen = [...stored];
      looks += told.length && !seen.length ? 1 : 0;
      if (looks === LOOK && !late) {
        late = outbox.answer({ id: "second", option_id: "second", score: 4 }, {});
        await late;  // it is written and wants to be told while this look, which does not know of it, is on its way
      }
      return seen;
    },
  };
  const wire = { call: async (method, path, { answers }) => {
    told.push(...answers.map((answer) => answer.id));
    return { verdicts: answers.map(({ id }) => ({ id, verdict: "stored" })), progress: {} };
  } };
  const outbox = new Outbox(store, wire);
  let lied = false;
  outbox.addEventListener("change", () => { lied ||= Boolean(late) && !outbox.pending && !told.includes("second"); });
  await outbox.answer({ id: "first", option_id: "first", score: 3 }, {});
  for (let i = 0; i < 100 && (!late || outbox.pending); i += 1) await new Promise((wake) => setTimeout(wake, 10));
  await new Promise((wake) => setTimeout(wake, 50));
  return { told, pending: outbox.pending, state: outbox.state, lied };
}"""


def test_an_answer_given_while_the_outbox_counts_is_told_and_not_called_saved_before(
    server: Server, visit: Visit
) -> None:
    page = visit().new_page()
    page.goto("/sign-in")
    for look in (1, 2, 3):
        found = page.evaluate(BETWEEN_TWO_STEPS.replace("LOOK", str(look)))
        assert found == {"told": ["first", "second"], "pending": 0, "state": "saved", "lied": False}, look
