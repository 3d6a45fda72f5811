"""What calls of text models may cost and did: the budget is asked before a call, the books are written after it."""

from dataclasses import dataclass, replace

from ml_service.errors import OverBudget
from web.domain.ids import new_id
from web.domain.models.completion import ABANDONED, Charge, dollars, month_of, next_month
from web.ports.models import Completion, TextRequest
from web.ports.time import Clock
from web.rows.transaction import Store


@dataclass(frozen=True)
class Budget:
    """The books of all text models, against the most micro-dollars that they may cost in a calendar month."""

    store: Store
    clock: Clock
    most_micros: int

    def reserve(self, request: TextRequest, request_hash: str, model: str, worst_micros: int) -> Charge:
        """Set aside the most that a call may cost, or raise OverBudget; close what crashes left standing."""
        now = self.clock.now()
        of = (request.purpose, request.project_id, request.study_id, model)
        charge = Charge(new_id(), request_hash, *of, worst_micros, now)
        with self.store.begin() as tx:
            tx.of_completions.sweep(now - ABANDONED, now)
            fits = tx.of_completions.reserve(charge, month_of(now), self.most_micros)
            spent = tx.of_completions.spent(month_of(now))
        if not fits:
            raise OverBudget(
                f"Asking {model} may cost {dollars(worst_micros)}, and {dollars(spent)} of this month's "
                f"{dollars(self.most_micros)} are spent or set aside. Raise TEXT_MODEL_BUDGET, or wait until "
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

    def answered(self, request_hash: str) -> Charge | None:
        """Return the call that has already answered a request, or None."""
        with self.store.read() as tx:
            return tx.of_completions.answered(request_hash)

    def _close(self, charge: Charge) -> None:
        with self.store.begin() as tx:
            tx.of_completions.settle(replace(charge, settled_at=self.clock.now()))
