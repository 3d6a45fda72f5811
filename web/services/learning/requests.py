"""What the optimizer is asked of a study: its whole history, that of the study it starts from, and what is out."""

from collections.abc import Sequence
from dataclasses import replace

from ml_service.wire.contract import DiagnoseRequest, Observation, Pending, SuggestRequest
from web.domain.rating.rating import observe
from web.domain.studies.experiment import Option
from web.domain.studies.study import Input, Study
from web.rows.prompts import PromptRows
from web.rows.transaction import Transaction
from web.services.studies.studies import origin


def observations(tx: Transaction, study: Study, wanted: Study | None = None) -> tuple[Observation, ...]:
    """Return what the optimizer is told of a study, in the parameters that it or another wanted study tunes."""
    spaces = (wanted or study).spaces.values()
    names = tuple(dict.fromkeys(name for space in spaces for name in space.parameters))
    rated = _completed(tx, tx.of_experiments.rated(study.id), names)
    return observe(rated, tx.of_ratings.standing(study.id), tx.of_ratings.excluded(study.id))


def _completed(tx: PromptRows, options: Sequence[Option], names: Sequence[str]) -> tuple[Option, ...]:
    """Add to points what was not tuned when they were made: it was as the version had it, if that says so."""
    partial = {option.version for option in options if any(name not in option.point for name in names)}
    versions = tx.versions.all(id=tuple(sorted(partial))) if partial else ()
    own = {version.id: version.parameter_defaults for version in versions}
    return tuple(
        replace(option, point={name: value for name, value in known.items() if name in names} | option.point)
        if (known := own.get(option.version, {}).get(option.generator))
        else option
        for option in options
    )


def diagnose_request(tx: Transaction, study: Study) -> DiagnoseRequest:
    """Return the history of a study as the question of what was learnt."""
    return DiagnoseRequest(
        spaces=study.spaces,
        generator=_asked(study),
        seen=observations(tx, study),
        earlier=_earlier(tx, study),
        seed=study.seed,
    )


def suggest_request(tx: Transaction, study: Study, count: int, sources: Sequence[Input]) -> SuggestRequest:
    """Return the history of a study, with what is out, as the question of what to try next."""
    return SuggestRequest(
        spaces=study.spaces,
        generator=_asked(study),
        seen=observations(tx, study),
        earlier=_earlier(tx, study),
        pending=tuple(
            Pending(point=option.point, generator=option.generator, item=option.input_id)
            for option in tx.of_experiments.pending(study.id)
        ),
        item=sources[0].id if len(sources) == 1 else None,
        count=max(count, 1),
        seed=study.seed,
        exploration=study.optimizer.exploration,
        initial=study.optimizer.initial,
    )


def _earlier(tx: Transaction, study: Study) -> tuple[Observation, ...]:
    """Return the ratings that a study starts from: those of one other study, not what that one started from."""
    earlier = origin(tx, study)
    if earlier is None or study.spaces.keys().isdisjoint(earlier.spaces):
        return ()
    return observations(tx, earlier, study)


def _asked(study: Study) -> str | None:
    """Name a generator to ask about where there are several: each of them is asked about in turn."""
    return study.generators[0] if len(study.spaces) > 1 else None
