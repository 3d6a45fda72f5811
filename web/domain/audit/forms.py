"""The forms that rows had when earlier versions of Palate hashed them: a hash covers what was known at its time.

A migration gives a row fields that its last event knew nothing of. Such a row is as that event left it while they hold
what the migration gave them, and it is then taken back to the form that was hashed, a step for each change of form.
Whoever gives a hashed row a field adds its step here; a test migrates a database of each older form.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]
Step = Callable[[Fields], Fields | None]


def forms(kind: str, fields: Fields) -> Iterator[Fields]:
    """Yield the fields of a row as they are hashed now, then as earlier versions would have: the newest form first."""
    yield fields
    for step in _STEPS.get(kind, ()):
        older = step(fields)
        if older is None:
            return
        fields = older
        yield fields


def _without(fields: Fields, given: Fields) -> Fields | None:
    """Leave out fields that hold what a migration gave them; None where one was changed since."""
    if any(name in fields and fields[name] != value for name, value in given.items()):
        return None
    return {name: value for name, value in fields.items() if name not in given}


def _before_evolving(study: Fields) -> Fields | None:
    given = {"every": 10, "policy": None, "most_challengers": 3, "worth_testing": 0.2}
    return _without(study, {"evolving": given})


def _before_practice(study: Fields) -> Fields | None:
    return _without(study, {"calibration": 10})


def _before_overlap(study: Fields) -> Fields | None:
    shares = _without(study["shares"], {"overlap": 5})
    return None if shares is None else {**study, "shares": shares}


def _before_stopping(study: Fields) -> Fields | None:
    """Count samples where ratings are counted since, as migration 0004 turned one into the other."""
    optimizer = {"exploration": 1.0, "initial": 10}
    older = _without(study, {"stopped": None, "starts_from": None, "optimizer": optimizer})
    stop = _without(study["stop"], {"probability": 0.95, "gain": None, "at_least": 30})
    if older is None or stop is None:
        return None
    a_sample = study["options_per_experiment"] * study["raters_wanted"]
    counts = {"patience": stop["patience"], "samples": stop["ratings"]}
    if any(count is not None and count % a_sample for count in counts.values()):
        return None
    kept = {name: stop[name] for name in ("goal", "budget_micros")}
    return {**older, "stop": kept | {name: count and count // a_sample for name, count in counts.items()}}


# By the kind of row, the newest change first.
_STEPS: Mapping[str, tuple[Step, ...]] = {
    "Study": (_before_evolving, _before_practice, _before_overlap, _before_stopping)
}
