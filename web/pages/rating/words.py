"""What raters' numbers mean, in sentences: agreement, flags, drift, how a rater stands."""

from collections.abc import Sequence

from ml_service.wire.contract import Interval
from web.domain.rating.figures import Agreement, Drift, Flag, OrdinalCheck, RaterFigures, Score
from web.domain.rating.standing import RaterReport
from web.pages.drawing.svg import compact_percent, number

GOOD, USABLE = 0.8, 0.667  # alpha, by custom
UNKNOWN = "Not known yet: it takes items that several raters have scored, and not all alike."
# What the number behind a flag is, and how it lies to its limit.
_BEHIND = {
    "same_stars": "Variance of the stars {value}, under {limit}.",
    "long_run": "The longest run would come by chance once in {odds}.",
    "unrelated": "Correlation with what others see {value}, under {limit}.",
    "scattered": "Variance about what others see {value} times theirs, over {limit} times.",
    "too_quick": "Half of the pictures get at most {value} s; under {limit} s is quick here.",
    "checks_missed": "{value} missed, over {limit}.",
}


def interval(score: Score) -> Interval:
    """Return an opinion score as an interval."""
    return Interval(mean=score.mean, low=score.low, high=score.high)


def agreement(alpha: Interval | None) -> str:
    """Say how far raters agree, and what that means."""
    if alpha is None:
        return UNKNOWN
    if alpha.low >= GOOD:
        return "Raters agree well: a few ratings of an item are enough."
    if alpha.mean >= USABLE:
        return "Raters agree well enough to work with."
    if alpha.high <= 0.2:
        return "Raters hardly agree: look at the guidelines, and at who is noisy."
    return "Tastes differ, as they do: more ratings of an item make its score sure."


def correlation(icc: Interval | None) -> str:
    """Say how much a single rating tells of an item."""
    if icc is None:
        return UNKNOWN
    return f"{compact_percent(icc.mean)} of what makes ratings differ is the item; the rest is who rates, and chance."


def one(icc: Interval | None) -> str:
    """Say what the figure of a single rating means, below it."""
    return UNKNOWN if icc is None else "of what makes ratings differ is the item"


def order(check: OrdinalCheck) -> str:
    """Say whether the order of items by opinion scores is the one that an ordinal model finds."""
    if check.rank is None:
        return "Too few items are scored, or all alike, so that there are no orders to compare."
    alike = f"rank correlation {number(check.rank)}; {check.top - check.changed} of the {check.top} best are the same"
    if not check.turned:
        return f"The order of {check.items} items holds where stars count as an order only ({alike})."
    pairs = _count(check.turned, "pair of items turns around whose", "pairs of items turn around whose")
    return f"{pairs} order the scores call certain, once stars count as an order only ({alike})."


def reliable(found: Agreement) -> str:
    """Say how sure the scores of items are."""
    if found.reliable is None:
        return UNKNOWN
    each = number(found.per_item, 1)
    return f"of what tells items apart is real, at {each} rating{'' if each == '1' else 's'} of an item"


def evidence(flag: Flag) -> str:
    """Say which number is behind a flag, and the limit that it passed."""
    name: str = flag.name
    value, limit = number(flag.value), number(flag.limit)
    if name == "too_quick":
        value, limit = number(flag.value / 1000, 1), number(flag.limit / 1000, 1)
    elif name == "checks_missed":
        value, limit = compact_percent(flag.value), compact_percent(flag.limit)
    odds = f"{round(1 / max(flag.value, 1e-9)):,}"
    return _BEHIND[name].format(value=value, limit=limit, odds=odds)


def moved(drift: Drift | None) -> str:
    """Say since when a rater's level is another one; empty where it holds."""
    if drift is None:
        return ""
    how = "kinder" if drift.by > 0 else "stricter"
    return f"{number(abs(drift.by), 1)} stars {how} than their own level since their rating {drift.since + 1}."


def level(figures: RaterFigures) -> str:
    """Say whether a rater is kinder or stricter than the others."""
    if figures.judge is None:
        return "not known"
    return beside(figures.judge.bias)


def beside(bias: Interval) -> str:
    """Say whether a level is kinder or stricter than the others'."""
    if bias.low <= 0 <= bias.high:
        return "like the others"
    return f"{'kinder' if bias.mean > 0 else 'stricter'} by {abs(bias.mean):.1f}"


def scale(figures: RaterFigures) -> str:
    """Say how widely a rater uses the stars, where that is known to be another way than the others'."""
    if figures.judge is None or figures.judge.scale.low <= 1 <= figures.judge.scale.high:
        return "use of the stars like the others'"
    word = "more widely" if figures.judge.scale.mean > 1 else "more narrowly"
    return f"uses the stars {word} (× {number(figures.judge.scale.mean)}); scores allow for it"


def marks(one: RaterReport) -> tuple[tuple[str, str], ...]:
    """Return how a rater stands as words with the look of each: excluded, paused, flagged, drifting, calibrating."""
    place, figures = one.enrolment, one.figures
    found = (
        ("excluded", "bad", one.exclusion is not None),
        ("paused", "warn", place is not None and place.paused_at is not None),
        ("appeal", "info", waits(one)),
        ("flagged", "bad", figures is not None and bool(figures.flags)),
        ("level moved", "warn", figures is not None and figures.drift is not None),
        ("calibration due", "info", recalibrates(one)),
        ("deactivated", "", not one.active),
    )
    return tuple((word, look) for word, look, holds in found if holds)


def waits(one: RaterReport) -> bool:
    """Tell whether a rater's appeal waits for an answer."""
    place = one.enrolment
    if place is None or place.appealed_at is None:
        return False
    return place.answered_at is None or place.answered_at < place.appealed_at


def recalibrates(one: RaterReport) -> bool:
    """Tell whether a rater was asked to calibrate anew and has not done so yet."""
    place = one.enrolment
    return place is not None and place.recalibrate_from is not None and place.calibration_since is not None


def headline(raters: Sequence[RaterReport]) -> str:
    """Say in a sentence whether anybody needs looking at."""
    flagged = sum(bool(one.figures and one.figures.flags) for one in raters)
    drifting = sum(bool(one.figures and one.figures.drift) for one in raters)
    asking = sum(waits(one) for one in raters)
    told = [
        words
        for count, words in (
            (asking, f"{_count(asking, 'appeal waits', 'appeals wait')} for an answer"),
            (flagged, f"{_count(flagged, 'rater is', 'raters are')} flagged"),
            (drifting, f"the level of {_count(drifting, 'rater', 'raters')} has moved"),
        )
        if count
    ]
    if not told:
        return "Nobody needs looking at."
    said = "; ".join(told)
    return f"{said[:1].upper()}{said[1:]}."


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
