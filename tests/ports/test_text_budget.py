"""What is wrapped round a text model: patience, a budget on both engines, a memory."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stamina
from pydantic import SecretStr
from stamina.instrumentation import RetryDetails

from ml_service.errors import Forbidden, OverBudget, ServiceError, Unanswered, Unavailable, UnusableAnswer
from tests.chat_server import ChatServer, Reply, chat_server, failing, saying
from tests.clock import FixedClock
from tests.rows import Rows
from web.adapters.database.store import SqlStore
from web.adapters.models.build import text_model
from web.adapters.models.identity import request_hash
from web.adapters.models.worst import tokens_in_at_most
from web.adapters.models.wrappers import ATTEMPTS, LONGEST_WAIT, Cached, Metered, Retrying
from web.domain.models.completion import ABANDONED, Charge, dollars, month_of, next_month
from web.domain.models.usage import Choice, Price, Provider
from web.ports.models import Completion, TextModel, TextRequest
from web.services.making.money import Budget
from web.settings import Settings

KEY = "sk-fake-0123456789abcdef"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
CHOICE = Choice(Provider("", "http://there/v1"), "some-model", Price(1.0, 10.0), keyed=False)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=ATTEMPTS)
    yield
    stamina.set_testing(False)


@pytest.fixture
def request_(store: SqlStore, clock: FixedClock) -> TextRequest:
    project = Rows(store, clock.now()).project
    return replace(ANY, project_id=project)


@dataclass
class Scripted:
    """A text model that answers with what it is given, the last again and again."""

    answers: Sequence[Completion | Exception]
    asked: int = 0
    seen: list[TextRequest] = field(default_factory=list)
    sees: bool = False

    def complete(self, request: TextRequest) -> Completion:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def worst(self, request: TextRequest) -> int:
        return worst(request)


ANY = TextRequest("Be brief.", "Which?", SCHEMA, "a", 50, 7, "test", "p")
GOOD = Completion('{"a": 1}', {"a": 1}, "", "some-model", 100, 20, 300, 0.1)
BAD = replace(GOOD, text="no", parsed=None, fault="It is not JSON.")


def charges(store: SqlStore) -> tuple[Charge, ...]:
    with store.read() as tx:
        return tx.completions.all()


def worst(request: TextRequest) -> int:
    return CHOICE.price.of(tokens_in_at_most(request), request.most_tokens)


def budget(store: SqlStore, clock: FixedClock, micros: int = 10_000_000) -> Budget:
    return Budget(store, clock, micros)


def reserve(books: Budget, request: TextRequest) -> Charge:
    return books.reserve(request, request_hash(CHOICE, request), CHOICE.model, worst(request))


def metered(inner: TextModel, books: Budget) -> Metered:
    return Metered(inner, books, CHOICE)


def cached(inner: TextModel, books: Budget) -> Cached:
    return Cached(metered(inner, books), books, CHOICE)


def test_the_worst_is_reserved_before_and_the_truth_settled_after(
    store: SqlStore, clock: FixedClock, request_: TextRequest
) -> None:
    class Looking:
        sees = False

        def complete(self, request: TextRequest) -> Completion:
            during.extend(charges(store))
            return GOOD

        def worst(self, request: TextRequest) -> int:
            return worst(request)

    during: list[Charge] = []
    assert metered(Looking(), budget(store, clock)).complete(request_) == GOOD
    (before,), (after,) = during, charges(store)
    assert (before.state, before.settled_at, before.cost_micros) == ("reserved", None, 0)
    assert before.reserved_micros > 500 + len("Be brief.Which?")
    assert (after.state, after.cost_micros, after.tokens_in, after.tokens_out) == ("settled", 300, 100, 20)
    assert (after.answer, after.purpose, after.model) == ('{"a": 1}', "test", "some-model")
    assert after.settled_at == clock.now()


@pytest.mark.parametrize(
    ("error", "counted"), [(Unavailable("away"), False), (Forbidden("no"), False), (Unanswered("silence"), True)]
)
def test_a_failure_costs_nothing_unless_nobody_knows(
    store: SqlStore, clock: FixedClock, request_: TextRequest, error: ServiceError, counted: bool
) -> None:
    with pytest.raises(type(error)):
        metered(Scripted([error]), budget(store, clock)).complete(request_)
    (charge,) = charges(store)
    assert (charge.state, charge.answer) == ("failed", None)
    assert charge.cost_micros == (charge.reserved_micros if counted else 0)


def test_an_unusable_answer_is_paid_for_and_not_remembered(
    store: SqlStore, clock: FixedClock, request_: TextRequest
) -> None:
    books, inner = budget(store, clock), Scripted([BAD, GOOD])
    model = cached(inner, books)
    with pytest.raises(UnusableAnswer, match="not JSON"):
        model.complete(request_).answer()
    assert model.complete(request_).answer() == {"a": 1}
    assert [(one.state, one.cost_micros) for one in charges(store)] == [("settled", 300), ("settled", 300)]


def test_the_same_question_is_paid_for_once(store: SqlStore, clock: FixedClock, request_: TextRequest) -> None:
    books, inner = budget(store, clock), Scripted([GOOD])
    model = cached(inner, books)
    first = model.complete(request_)
    again = cached(inner, budget(store, clock, 0)).complete(replace(request_, purpose="another", study_id=None))
    assert (first.cached, again.cached, again.cost_micros, again.answer()) == (False, True, 0, {"a": 1})
    assert (inner.asked, len(charges(store))) == (1, 1)
    for another in (
        replace(request_, seed=8),
        replace(request_, user="Which one?"),
        replace(request_, system="Be long."),
        replace(request_, temperature=0.0),
        replace(request_, images=(b"\xff\xd8\xff",)),
        replace(request_, schema={**SCHEMA, "title": "A"}),
        replace(request_, most_tokens=51),
    ):
        assert not model.complete(another).cached
    other = Choice(CHOICE.provider, "other-model", CHOICE.price, keyed=False)
    assert budget(store, clock).answered(request_hash(other, request_)) is None


def test_a_call_over_the_budget_is_not_made(store: SqlStore, clock: FixedClock, request_: TextRequest) -> None:
    inner = Scripted([GOOD])
    with pytest.raises(OverBudget, match=r"Raise TEXT_MODEL_BUDGET, or wait until 1 [A-Z]"):
        metered(inner, budget(store, clock, 100)).complete(request_)
    assert (inner.asked, charges(store)) == (0, ())


def test_a_budget_is_for_a_calendar_month(store: SqlStore, clock: FixedClock, request_: TextRequest) -> None:
    clock.time = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    most = reserve(budget(store, clock), request_).reserved_micros
    with pytest.raises(OverBudget, match="wait until 1 January"):
        reserve(budget(store, clock, 2 * most - 1), request_)
    clock.time += timedelta(minutes=1)
    reserve(budget(store, clock, most), request_)


def test_what_costs_more_than_was_reserved_counts_whole(
    store: SqlStore, clock: FixedClock, request_: TextRequest
) -> None:
    dear = replace(GOOD, cost_micros=9_999_999)
    metered(Scripted([dear]), budget(store, clock)).complete(request_)
    with pytest.raises(OverBudget, match=r"\$10\.00 are spent|\$9\.99|\$10\.00"):
        metered(Scripted([GOOD]), budget(store, clock)).complete(request_)


def test_many_at_once_cannot_overspend(store: SqlStore, clock: FixedClock, request_: TextRequest) -> None:
    most = reserve(budget(store, clock), request_).reserved_micros
    books = budget(store, clock, 4 * most)

    def fits(_: int) -> bool:
        with suppress(OverBudget):
            reserve(books, request_)
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(fits, range(24))) == 3
    assert len(charges(store)) == 4


def test_what_a_crash_left_standing_counts_and_is_closed_at_its_worst(
    store: SqlStore, clock: FixedClock, request_: TextRequest
) -> None:
    books = budget(store, clock)
    left = reserve(books, request_)
    clock.time += ABANDONED
    reserve(books, replace(request_, seed=8))
    assert [one.state for one in charges(store)] == ["reserved", "reserved"]
    clock.time += timedelta(seconds=1)
    reserve(books, replace(request_, seed=9))
    (closed, _, _) = charges(store)
    assert (closed.id, closed.state, closed.cost_micros) == (left.id, "failed", left.reserved_micros)
    with store.read() as tx:
        assert tx.of_completions.spent(month_of(clock.now())) == 3 * left.reserved_micros


def test_who_has_no_time_is_asked_again() -> None:
    inner = Scripted([Unavailable("busy", 1.0), Unavailable("away"), GOOD])
    assert Retrying(inner).complete(ANY) == GOOD
    assert inner.asked == 3


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (Unavailable("busy", 1.0), ATTEMPTS),
        (Unavailable("busy", LONGEST_WAIT + 1), 1),
        (Unanswered("silence"), 1),
        (Forbidden("no"), 1),
    ],
)
def test_asking_again_has_an_end(error: ServiceError, asked: int) -> None:
    inner = Scripted([error])
    with pytest.raises(type(error)) as told:
        Retrying(inner).complete(ANY)
    assert told.value is error
    assert inner.asked == asked


def test_the_wait_is_what_the_server_asked_for_and_a_little_more() -> None:
    waits: list[float] = []

    def look(details: RetryDetails) -> None:
        waits.append(details.wait_for)

    stamina.set_testing(False)
    stamina.instrumentation.set_on_retry_hooks([look])
    try:
        Retrying(Scripted([Unavailable("busy", 0.01), GOOD])).complete(ANY)
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    (wait,) = waits
    assert 0.01 <= wait <= 1.01


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(lambda _: saying({"a": 1})) as running:
        yield running


@pytest.fixture
def whole(server: ChatServer, store: SqlStore, clock: FixedClock) -> Callable[..., TextModel]:
    def build(**given: Any) -> TextModel:
        told = {"text_model": "m", "text_model_base_url": server.url, "text_model_price": (1.0, 10.0), **given}
        made = text_model(
            Settings(_env_file=None, openai_api_key=SecretStr(KEY), **told), Budget(store, clock, 10_000_000)
        )
        assert made is not None
        return made

    return build


def test_the_whole_stack_asks_once_and_remembers(
    whole: Callable[..., TextModel], server: ChatServer, store: SqlStore, request_: TextRequest
) -> None:
    model = whole()
    assert model.complete(request_).answer() == {"a": 1}
    assert model.complete(request_).cached
    assert len(server.asked) == 1
    assert [one.cost_micros for one in charges(store)] == [300]


def test_ten_times_429_ends_and_costs_nothing(
    whole: Callable[..., TextModel], server: ChatServer, store: SqlStore, request_: TextRequest
) -> None:
    server.answers = lambda _: failing(429, retry_after="1")
    with pytest.raises(Unavailable, match="no time") as told:
        whole().complete(request_)
    assert told.value.retry_after == 1
    assert len(server.asked) == ATTEMPTS
    assert [(one.state, one.cost_micros) for one in charges(store)] == [("failed", 0)]


def test_a_broken_connection_is_not_tried_again_and_counts(
    whole: Callable[..., TextModel], server: ChatServer, store: SqlStore, request_: TextRequest
) -> None:
    server.answers = lambda _: Reply(drop=True)
    with pytest.raises(Unanswered):
        whole().complete(request_)
    (charge,) = charges(store)
    assert (len(server.asked), charge.cost_micros) == (1, charge.reserved_micros)


def test_without_a_key_there_is_none(store: SqlStore, clock: FixedClock) -> None:
    assert text_model(Settings(_env_file=None), Budget(store, clock, 0)) is None


def test_a_start_without_a_model_does_not_load_its_package() -> None:
    code = "import sys, web.adapters.models.build as b, web.settings as s; b.text_model(s.Settings(_env_file=None), 0)"
    loaded = "print({'openai', 'stamina', 'jsonschema'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}; {loaded}"], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_months_begin_and_end_where_they_do() -> None:
    late = datetime(2028, 2, 29, 23, 0, tzinfo=UTC)
    assert month_of(late) == datetime(2028, 2, 1, tzinfo=UTC)
    assert next_month(late) == datetime(2028, 3, 1, tzinfo=UTC)
    assert next_month(datetime(2026, 12, 1, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


def test_amounts_are_written_as_people_do() -> None:
    assert [dollars(micros) for micros in (0, 1_234, 1_500_000)] == ["$0.00", "$0.0012", "$1.50"]
