"""The books of text models: the budget is asked before a call, and what a call cost is written down after it."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pydantic_core import to_json

from ml_service.errors import OverBudget
from web.adapters.models.worst import tokens_in_at_most
from web.domain.ids import new_id
from web.domain.models.completion import ABANDONED, Charge, dollars, month_of, next_month
from web.domain.models.usage import Choice
from web.ports.models import Completion, TextRequest
from web.ports.time import Clock
from web.rows.transaction import Store


class Ledger:
    """What the calls of one text model cost, against the budget of a calendar month that all text models share."""

    def __init__(self, store: Store, clock: Clock, choice: Choice, budget_micros: int) -> None:
        self._store, self._clock, self._choice, self._budget = store, clock, choice, budget_micros

    def hash(self, request: TextRequest) -> str:
        """Return what tells a request from all others of all models; what the model is not told is left out."""
        told: Mapping[str, Any] = {
            "place": self._choice.provider.base_url,
            "model": self._choice.model,
            "system": request.system,
            "user": request.user,
            "schema": to_json(dict(request.schema)).decode(),
            "schema_name": request.schema_name,
            "most_tokens": request.most_tokens,
            "seed": request.seed,
            "temperature": request.temperature,
            "images": [sha256(image).hexdigest() for image in request.images],
        }
        return sha256(to_json(told)).hexdigest()

    def reserve(self, request: TextRequest) -> Charge:
        """Set aside the most that a request may cost, or raise OverBudget; close what crashes left standing."""
        worst = self._choice.price.of(tokens_in_at_most(request), request.most_tokens)
        now, tells = self._clock.now(), self.hash(request)
        of = (request.purpose, request.project_id, request.study_id, self._choice.model)
        charge = Charge(new_id(), tells, *of, worst, now)
        with self._store.begin() as tx:
            tx.of_completions.sweep(now - ABANDONED, now)
            fits = tx.of_completions.reserve(charge, month_of(now), self._budget)
            spent = tx.of_completions.spent(month_of(now))
        if not fits:
            raise OverBudget(
                f"Asking {self._choice.model} may cost {dollars(worst)}, and {dollars(spent)} of this month's "
                f"{dollars(self._budget)} are spent or set aside. Raise TEXT_MODEL_BUDGET, or wait until "
                f"{next_month(now):%-d %B}."
            )
        return charge

    def settle(self, charge: Charge, completion: Completion) -> None:
        """Write down what a call cost, and its answer where that is usable."""
        self._close(
            replace(
                charge,
                state="settled",
                cost_micros=completion.cost_micros,
                tokens_in=completion.tokens_in,
                tokens_out=completion.tokens_out,
                answer=None if completion.parsed is None else completion.text,
            )
        )

    def fail(self, charge: Charge, cost_micros: int) -> None:
        """Write down that a call brought no answer, and what it must be taken to have cost."""
        self._close(replace(charge, state="failed", cost_micros=cost_micros))

    def answered(self, request: TextRequest) -> Charge | None:
        """Return the call that has already answered a request, or None."""
        with self._store.read() as tx:
            return tx.of_completions.answered(self.hash(request))

    def _close(self, charge: Charge) -> None:
        with self._store.begin() as tx:
            tx.of_completions.settle(replace(charge, settled_at=self._clock.now()))
