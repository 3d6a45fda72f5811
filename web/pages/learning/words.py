"""What was learnt, in sentences: how good the best settings are, how sure that is, what is left, why it was asked."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist

from ml_service.wire.contract import Best, Convergence, Interval, ParameterReport, RaterEffect, VarianceParts
from web.domain.rating.gold import Gold
from web.domain.reports.report import BestStep
from web.domain.studies.experiment import Experiment, Option
from web.pages.drawing.svg import number

BOUND = NormalDist().inv_cdf(0.975)  # standard deviations from the mean to either end of a 95 % interval
NOTHING = 0.05  # stars: less than this is nothing to go on for
WORTH = 0.15  # stars: from here on more ratings are worth their while
LATELY = 30  # ratings: how far back "lately" looks
WHY = {
    "initial": "One of the first options, which are spread evenly over all settings.",
    "explore": "Little is known around here: rating it tells most, and it may be better than the best known.",
    "refine": "Ratings near it tell something of it already: to find out which of the promising settings is best.",
    "reference": "The best known settings themselves, shown beside the others for comparison.",
}
_LIKELY = ((0.99, "almost certainly"), (0.9, "very likely"), (0.7, "probably"), (0.4, "perhaps"), (0, "probably not"))
_TIMES = ("had not been rated yet", "had been rated once", "had been rated twice")


def likely(probability: float) -> str:
    """Return a probability as people say it."""
    return next(word for least, word in _LIKELY if probability >= least)


def percent(probability: float) -> str:
    """Return a probability in percent; nothing that is not certain is told as certain."""
    if 0 < probability < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < probability < 1 else f"{round(probability * 100)} %"


def above(interval: Interval, bound: float) -> float:
    """Return the probability that what an interval holds lies above a bound."""
    return exceeds(interval.mean, (interval.high - interval.low) / 2 / BOUND, bound)


def exceeds(mean: float, sd: float, bound: float) -> float:
    """Return the probability that a normal quantity lies above a bound."""
    return NormalDist().cdf((mean - bound) / sd) if sd > 0 else float(mean >= bound)


def stars(interval: Interval) -> str:
    """Return where a rating lies."""
    low, high = _one(interval.low), _one(interval.high)
    return f"{_stars(interval.mean)}" if low == high else f"between {low} and {high} stars"


def best_rating(best: Best) -> str:
    """Say how well the best settings are rated, and whether they beat doing nothing."""
    return f"{_capital(stars(best.rating))}: {gain(best)}."


def gain(best: Best) -> str:
    """Say how sure it is that the best settings beat the default, and by how much."""
    won = best.gain
    if won.low == won.mean == won.high == 0:
        return "the default itself is the best that is known"
    how = likely(above(won, 0))
    if won.low <= 0:
        return f"{how} better than the default, by {_one(won.mean)}, but up to {_one(-won.low)} worse is possible"
    low, high = _one(won.low), _one(won.high)
    return f"{how} better than the default, by {f'about {low}' if low == high else f'{low} to {high}'}"


def goal(best: Best, wanted: float) -> str:
    """Say how sure it is that the goal of a study is reached."""
    sd = best.sd or (best.rating.high - best.rating.low) / 2 / BOUND
    chance = exceeds(best.rating.mean, sd, wanted)
    return f"The goal of {number(wanted)} stars is {percent(chance)} sure to be reached."


def left(convergence: Convergence | None) -> str:
    """Say how much better the settings may still get."""
    if convergence is None:
        return "A few more ratings are needed to tell how much better they may get."
    more = convergence.gain_left
    return f"{'Next to nothing' if more < NOTHING else f'About {_stars(more)}'} still to be had."


def advice(convergence: Convergence | None) -> str:
    """Say in a few words whether to go on."""
    if convergence is None or convergence.gain_left >= WORTH:
        return "Go on"
    return "Stop whenever you like" if convergence.gain_left < NOTHING else "You may stop soon"


def advice_means(convergence: Convergence | None) -> str:
    """Say what that rests on."""
    if convergence is None:
        return "A few more ratings are needed to tell how much there is to be had."
    more, near = convergence.gain_left, percent(convergence.probability_near_best)
    sure = f"It is {near} sure that the best settings are within 0.1 star of the best there is"
    if more < NOTHING:
        return f"{sure}: more ratings will not change what comes out."
    if more < WORTH:
        return f"{sure}, and {_stars(more)} may be left: another {LATELY} ratings will hardly change that."
    return f"{sure}, and about {_stars(more)} more can be expected of going on."


def lately(steps: Sequence[BestStep]) -> str:
    """Say how far the expected rating of the best settings has moved over the last ratings; empty where too few."""
    now = steps[-1] if steps else None
    before = [step for step in steps if now and step.ratings <= now.ratings - LATELY]
    if now is None or not before:
        return ""
    moved = now.rating.mean - before[-1].rating.mean
    over = now.ratings - before[-1].ratings
    if abs(moved) < 0.05:
        return f"Over the last {over} ratings the best expected rating stayed where it is."
    return f"Over the last {over} ratings the best expected rating {'rose' if moved > 0 else 'fell'} by {_two(moved)}."


def why(option: Option) -> str:
    """Say why an option was chosen for rating."""
    return WHY.get(option.why, "")


def check(experiment: Experiment, gold: Gold | None) -> str:
    """Say what an experiment that checks raters is for, and which answers are right; empty of all others."""
    if experiment.kind == "repeat":
        return "A hidden repeat: one rater is shown again what they have rated before. Its ratings count."
    if gold is None:
        return ""
    right = f"{gold.low} ★" if gold.low == gold.high else f"{gold.low} to {gold.high} ★"
    source = "raters agree on it" if gold.source == "agreement" else "it was spoilt on purpose"
    use = "A check of raters" if experiment.kind == "gold" else "For calibration"
    return f"{use}: {right} is right, as {source}; one star off is no miss. Its ratings teach the optimizer nothing."


def evidence(option: Option) -> str:
    """Say what spoke for an option when it was chosen: its chance to beat the best, where it differs, its ratings."""
    known = option.evidence
    if known is None:
        return ""
    best = f"the best known then ({_one(known.best)} ★)"
    beats = "" if option.why == "reference" else f"{percent(known.chance)} likely to beat {best}. "
    differs = f"Differs from it in {listed(known.differs)}." if known.differs else "They are the best known settings."
    times = _TIMES[known.rated] if known.rated < len(_TIMES) else f"had been rated {known.rated} times"
    return _capital(f"{beats}{differs} These settings {times}.")


def unknown(reports: Mapping[str, ParameterReport]) -> str:
    """Say how much of what settings do no parameter explains alone; empty where that is little."""
    rest = 1 - sum(one.importance for one in reports.values())
    if rest < 0.1:
        return ""
    much = "Most" if rest > 0.5 else percent(rest)  # a share of what is hardly known is no knowledge
    return f"{much} of it is not known yet, or comes from several together."


def rater_level(one: RaterEffect) -> str:
    """Say whether a rater is kinder or stricter than the others."""
    if one.effect.low <= 0 <= one.effect.high:
        return "like the others"
    return f"{'kinder' if one.effect.mean > 0 else 'stricter'} by {_one(abs(one.effect.mean))}"


def rater_spread(one: RaterEffect) -> str:
    """Say how widely a rater uses the stars."""
    if 0.85 <= one.scale <= 1.18:
        return "like the others"
    return f"{'more widely' if one.scale > 1 else 'more narrowly'} (× {number(one.scale)})"


def varies(parts: VarianceParts) -> str:
    """Say what makes most of the difference between two ratings, and what that means; empty where that is not known."""
    shares: tuple[tuple[float | None, str], ...] = (
        (parts.setting, "Most of it is the settings themselves: what the study is after."),
        (parts.rater, "Most of it is who rates: tastes differ more than the settings do."),
        (parts.item, "Most of it is the photo: some are kinder than others, whatever is done to them."),
        (parts.luck, "Most of it is luck of the making: the same settings come out well or badly."),
        (parts.noise, "Most of it is chance: the same rater would score the same image differently another time."),
    )
    told = [(share, words) for share, words in shares if share is not None]
    largest, words = max(told, default=(0.0, ""))
    return words if largest > 0 and len(told) > 1 else ""


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names as a list in a sentence."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "") if part)


def _stars(value: float) -> str:
    shown = _one(value)
    return f"{shown} star{'' if shown in ('0.1', '1.0') else 's'}"


def _one(value: float) -> str:
    """Return stars with one digit, and with two where one would hide what there is."""
    return f"{value:.2f}" if 0.005 <= abs(value) < 0.095 else f"{value:.1f}"


def _two(value: float) -> str:
    return number(abs(value))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
