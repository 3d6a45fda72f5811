"""The form that opens an A/B test: what an admin typed, read into a challenge."""

from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest
from web.domain.abtests.abtest import Design
from web.domain.studies.evolving import Policy
from web.domain.text import plain
from web.http.answers.forms import figure, text
from web.services.abtests.abtests import Challenge


@dataclass(frozen=True)
class Field:
    """One figure of a design: its name in words, what it means, and the step of its input."""

    name: str
    label: str
    hint: str
    step: str = "1"


FIELDS = (
    Field("least_pairs", "At least pairs", "Before that nothing is promoted."),
    Field("most_pairs", "At most pairs", "Of each challenger. After that it is given up."),
    Field("raters", "Raters of a pair", "Each rates both versions."),
    Field("least_raters", "At least raters", "So many different people must have judged; 8 speak for others."),
    Field("threshold", "Evidence that promotes", "20 errs once in twenty tests at most; times the challengers.", "any"),
    Field("harm", "Evidence that it is worse", "From here on it is out.", "any"),
    Field("guard", "Evidence of more complaints", "Of one tag, or of failures: from here on it is out.", "any"),
    Field("worth", "Worth having, in stars", "Whatever is surely below that is given up.", "any"),
)
_WHOLE = frozenset(one.name for one in FIELDS if one.step == "1")
_POLICIES: dict[str, Policy] = {"auto": "auto", "approve": "approve", "manual": "manual"}


@dataclass(frozen=True)
class Typed:
    """What was typed into the form; figures that were left empty are the usual ones, and a champion what is live."""

    study: str
    challengers: tuple[str, ...] = ()
    champion: str = ""
    hypothesis: str = ""
    policy: str = ""
    id: str = ""
    figures: dict[str, str] = field(default_factory=dict)

    def challenge(self, usual: Design) -> Challenge:
        """Return what is asked for, or raise InvalidRequest with the figure that cannot be used."""
        values: dict[str, Any] = {name: _number(name, typed) for name, typed in self.figures.items() if typed}
        policy = _POLICIES.get(self.policy)
        design = replace(usual, **values)
        champion = self.champion or None
        return Challenge(self.challengers, plain(self.hypothesis), design, policy, self.id or None, champion)

    def design_or(self, usual: Design) -> Design:
        """Return the design that was typed, or the usual one where that cannot be used."""
        try:
            return self.challenge(usual).design or usual
        except InvalidRequest:
            return usual


def read(fields: FormData) -> Typed:
    """Return what a form sent."""
    return Typed(
        study=text(fields, "study"),
        challengers=tuple(one for one in fields.getlist("challenger") if isinstance(one, str)),
        champion=text(fields, "champion"),
        hypothesis=text(fields, "hypothesis"),
        policy=text(fields, "policy"),
        id=text(fields, "id"),
        figures={one.name: text(fields, one.name) for one in FIELDS},
    )


def _number(name: str, typed: str) -> float:
    label = next(one.label for one in FIELDS if one.name == name)
    return figure(label, typed, whole=name in _WHOLE)
