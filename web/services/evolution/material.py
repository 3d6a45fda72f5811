"""What a round of evolution goes by: the version to build on, examples of what raters said, and what was tried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ml_service.errors import Conflict
from web.domain.abtests.abtest import still_in
from web.domain.evolution import operators, pareto
from web.domain.evolution.pareto import Mate, Outcome
from web.domain.evolution.reflection import Example, Operator
from web.domain.prompts.gates import Gauge
from web.domain.prompts.hostile import Scanner, cleaned
from web.domain.prompts.prompt import PromptVersion
from web.domain.rating.rating import Rating
from web.domain.studies.experiment import Option
from web.domain.studies.study import Study
from web.rows.abtests import ABTestRows
from web.rows.rating import RatingRows
from web.rows.studies import StudyRows
from web.rows.transaction import Transaction
from web.services.abtests.abtests import content, quarantined
from web.services.prompts import pointers

WORST, BEST = 4, 2  # examples, each of another photo
MOST_COMMENTS = 3  # of one example
MOST_TRIED = 12  # versions that a proposer is told of


@dataclass(frozen=True)
class Material:
    """What a proposer is given; `parent` has the live version's parameters, so that tests compare prompts alone.

    `pictures` are the objects of the examples' outputs, in their order, `evidence` the ids of the ratings that the
    examples show, `tried` the changelogs of versions with their mean opinion score, None where nobody has rated them.
    `asked` are the operators of the round, and `mate` is whom to merge with where one of them merges.
    """

    live: PromptVersion
    parent: PromptVersion
    examples: tuple[Example, ...]
    pictures: tuple[str, ...]
    evidence: tuple[str, ...]
    gauge: Gauge
    tried: tuple[tuple[str, float | None], ...]
    asked: tuple[Operator, ...]
    partner: Mate | None

    @property
    def mate(self) -> Mate | None:
        """The other version that the round shows, or None where none of its operators merges."""
        return self.partner if "merge" in self.asked else None

    @property
    def widest(self) -> "Material":
        """The same material with the operators that take the most words to ask for."""
        rest: Operator = "merge" if self.partner else "targeted"
        return replace(self, asked=("targeted", "simplify", rest))

    @property
    def built_on(self) -> tuple[PromptVersion, ...]:
        """The versions whose texts the round shows."""
        return (self.parent, self.mate.version) if self.mate else (self.parent,)

    def parents_of(self, operator: Operator) -> tuple[str, ...]:
        """Return the ids that a child names as its parents: these have to be released."""
        makers = self.built_on if operator == "merge" else (self.parent,)
        return tuple(dict.fromkeys(id for one in makers for id in ((one.id,) if one.name else one.parents)))


@dataclass(frozen=True)
class _Rated:
    """The options of a study that count, their ratings, and the opinion score of each."""

    options: Mapping[str, Option]
    ratings: Mapping[str, Sequence[Rating]]
    scores: Mapping[str, float]

    def tags(self, option: Option) -> frozenset[str]:
        return frozenset(tag for rating in self.ratings[option.id] for tag in rating.tags)


def gather(tx: Transaction, study: Study, seed: int, scanner: Scanner) -> Material:
    """Return what the next round of a study's prompt goes by; Conflict where nobody has rated anything."""
    live = pointers.live_version(tx, study.prompt_key)
    versions = {version.id: version for version in tx.versions.all(prompt_key=study.prompt_key)}
    rated = _rated(tx, study, versions)
    if not rated.options:
        raise Conflict(f"{study.name} has no ratings yet; the prompt evolves from what raters say.")
    shunned = quarantined(tx, study.prompt_key)
    out = _given_up(tx, study)
    usable = {
        version.id: version
        for version in versions.values()
        if version.status != "withdrawn" and content(version) not in shunned and version.id not in out
    }
    chosen, mate = _couple(_outcomes(tx, study, rated, usable), live, usable, seed)
    asked = _asked(tx, study, seed, can_merge=mate is not None)
    parent = replace(chosen, parameter_defaults=live.parameter_defaults)
    shown = _shown(rated, parent.id)
    examples = tuple(_example(rated, versions, option, f"e{at}", scanner) for at, option in enumerate(shown, 1))
    seen = [rating for option in shown for rating in rated.ratings[option.id]]
    before = tuple(version for version in versions.values() if version.id != parent.id)
    return Material(
        live=live,
        parent=parent,
        examples=examples,
        pictures=_pictures(tx, shown),
        evidence=tuple(rating.id for rating in seen),
        gauge=Gauge(parent, scanner, before, comments=tuple(rating.comment for rating in seen if rating.comment)),
        tried=tuple(_tried(rated, versions)),
        asked=asked,
        partner=mate,
    )


def _given_up(tx: ABTestRows, study: Study) -> set[str]:
    """Return the candidates that tests found no better: what they lead among few outputs is luck."""
    tests = tx.ab_tests.all(prompt_key=study.prompt_key, kind="challenge")
    decided = [(test, test.decision) for test in tests if test.decision is not None]
    return {
        name
        for test, decision in decided
        for name in {one.challenger for one in decision.evidence}
        - {one.challenger for one in still_in(test, decision.evidence)}
        - {decision.winner}
    }


def _asked(tx: Transaction, study: Study, seed: int, *, can_merge: bool) -> tuple[Operator, ...]:
    """Return the operators that the round asks for, by what became of those of all rounds of the prompt."""
    key = study.prompt_key
    found = operators.records(tx.rounds.all(prompt_key=key), tx.ab_tests.all(prompt_key=key))
    return operators.drawn(found, seed, can_merge=can_merge)


def _rated(tx: RatingRows, study: Study, versions: Mapping[str, PromptVersion]) -> _Rated:
    options = {option.id: option for option in tx.of_experiments.rated(study.id) if option.version in versions}
    left_out = tx.of_ratings.excluded(study.id)
    counted = [
        rating
        for rating in tx.of_ratings.standing(study.id)
        if rating.option_id in options and rating.score is not None and rating not in left_out
    ]
    ratings: dict[str, list[Rating]] = {}
    for rating in counted:
        ratings.setdefault(rating.option_id, []).append(rating)
    from web.domain.rating.numbers.scores import opinion_scores  # loads scipy, which no start waits for

    found = opinion_scores(
        [_item(options[rating.option_id]) for rating in counted],
        [rating.judge_id for rating in counted],
        [rating.score or 0.0 for rating in counted],
    )
    means = {score.item: score.mean for score in found.scores}
    kept = {name: options[name] for name in ratings}
    return _Rated(kept, ratings, {name: means[_item(option)] for name, option in kept.items()})


def _item(option: Option) -> str:
    return option.output_id or option.id


def _outcomes(tx: StudyRows, study: Study, rated: _Rated, usable: Mapping[str, PromptVersion]) -> tuple[Outcome, ...]:
    strata = {source.id: source.stratum for source in tx.inputs.all(study_id=study.id)}
    return tuple(
        Outcome(option.version, strata[option.input_id], rated.scores[name], rated.tags(option), option.generator)
        for name, option in rated.options.items()
        if option.version in usable
    )


def _couple(
    outcomes: Sequence[Outcome], live: PromptVersion, usable: Mapping[str, PromptVersion], seed: int
) -> tuple[PromptVersion, Mate | None]:
    """Return a version of the Pareto front, or the live one where there is no choice; and another to merge it with."""
    front = pareto.front(outcomes)
    parent = usable[pareto.drawn(front, seed)] if front else live
    others = {name: led for name, led in front.items() if usable[name].components != parent.components}
    if not others:
        return parent, None
    mate = usable[pareto.drawn(others, seed)]
    return parent, Mate(mate, pareto.ahead(pareto.leads(outcomes), mate.id, parent.id, parent.components))


def _shown(rated: _Rated, parent_id: str) -> list[Option]:
    """Return the outputs to show, the worst first: of the parent where it has enough, else of all versions."""
    ranked = sorted(rated.options.values(), key=lambda option: (rated.scores[option.id], option.id))
    own = [option for option in ranked if option.version == parent_id]
    if len({option.input_id for option in own}) >= WORST + BEST:
        ranked = own
    worst = _distinct(ranked, WORST, set())
    return worst + _distinct(ranked[::-1], BEST, {option.input_id for option in worst})


def _pictures(tx: StudyRows, shown: Sequence[Option]) -> tuple[str, ...]:
    ids = tuple(option.output_id for option in shown if option.output_id)
    keys = {output.id: output.object_key for output in tx.outputs.all(id=ids)}
    return tuple(keys[id] for id in ids)


def _distinct(ranked: Sequence[Option], count: int, taken: set[str]) -> list[Option]:
    """Return the first outputs of different photos."""
    found: dict[str, Option] = {}
    for option in ranked:
        if option.input_id not in taken:
            found.setdefault(option.input_id, option)
    return list(found.values())[:count]


def _example(
    rated: _Rated, versions: Mapping[str, PromptVersion], option: Option, name: str, scanner: Scanner
) -> Example:
    said = [cleaned(rating.comment, scanner).text for rating in rated.ratings[option.id] if rating.comment]
    rendered = versions[option.version].rendered(option.generator)
    return Example(
        id=name,
        score=round(rated.scores[option.id], 2),
        generator=option.generator,
        tags=tuple(sorted(rated.tags(option))),
        comments=tuple(text for text in said if text)[:MOST_COMMENTS],
        parameters=option.point,
        prompt="\n".join(f"{slot}: {text}" for slot, text in rendered.items()),
    )


def _tried(rated: _Rated, versions: Mapping[str, PromptVersion]) -> Iterator[tuple[str, float | None]]:
    newest = sorted(versions.values(), key=lambda version: -version.number)[:MOST_TRIED]
    for version in newest:
        scores = [rated.scores[name] for name, option in rated.options.items() if option.version == version.id]
        yield version.changelog, round(sum(scores) / len(scores), 2) if scores else None
