"""A/B tests in plain words: how one stands, what decided it, how long it takes, and what may be done."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from web.domain.abtests.abtest import ABTest, Evidence, TestKind
from web.domain.abtests.liking import ENOUGH, FEWEST
from web.domain.studies.evolving import Policy
from web.services.abtests.abtests import ABTestDetail
from web.services.abtests.comparisons import Expected, Pace, called

POLICIES: dict[Policy, str] = {
    "auto": "The winner goes live by itself.",
    "approve": "Another admin than the one who wrote it or opened the test lets the winner go live.",
    "manual": "An admin lets the winner go live, or does not.",
}
LONGEST = 365  # days that are told as a number
RATERS_WANTED = (
    f"{ENOUGH} raters are wanted: then what is found holds for raters like them, not only for them. From {FEWEST} on "
    "they have to agree, and a small gain is found less often; what fewer find holds for them alone."
)


@dataclass(frozen=True)
class Verdict:
    """How a test stands: a sign, a class for how it looks, a word or two, and a sentence."""

    sign: str
    look: str
    word: str
    words: str


_ENDED = {
    "harm": Verdict("✕", "bad", "harm", "The evidence says that {challengers} is worse than {champion}, which stays."),
    "tag": Verdict("✕", "bad", "harm", "{challengers} drew more of a complaint than {champion}, which stays."),
    "failures": Verdict("✕", "bad", "harm", "{challengers} failed more often than {champion}, which stays."),
    "no_gain": Verdict("=", "info", "no gain", "No challenger is better by enough to be worth it. {champion} stays."),
    "cap": Verdict("≈", "warn", "inconclusive", "All pairs were used up without a decision. {champion} stays."),
    "stopped": Verdict("■", "", "stopped", "It was ended before it was decided. {champion} stays."),
    "outdated": Verdict("■", "", "outdated", "Another version than {champion} went live; test against that one."),
}
_HELD = {
    "harm": Verdict("✓", "good", "holds up", "{champion} is better than {challengers} also after it went live."),
    "no_gain": Verdict("✓", "good", "holds up", "{challengers}, live before, is not better. {champion} stays."),
    "cap": Verdict("✓", "good", "no harm found", "Nothing speaks against {champion} after all pairs. It stays."),
}
_COMPARED = {
    "better": Verdict("✓", "good", "better", "{winner} is better than {champion}."),
    "harm": Verdict("✕", "bad", "worse", "The evidence says that {challengers} is worse than {champion}."),
    "tag": Verdict("✕", "bad", "worse", "{challengers} drew more of a complaint than {champion}."),
    "failures": Verdict("✕", "bad", "worse", "{challengers} failed more often than {champion}."),
    "no_gain": Verdict("=", "info", "no gain", "None is better than {champion} by enough to be worth it."),
    "cap": Verdict("≈", "warn", "inconclusive", "All pairs were used up without a decision."),
    "stopped": Verdict("■", "", "stopped", "It was ended before it was decided."),
}
_OF_KIND: dict[TestKind, dict[str, Verdict]] = {"hold_back": _HELD, "comparison": _COMPARED}


def verdict(detail: ABTestDetail) -> Verdict:
    """Say how a test stands."""
    test = detail.test
    found = _ended(test) if test.decision else _open(test, detail.evidence)
    names = {
        "champion": called(detail.versions, test.champion),
        "challengers": _listed([called(detail.versions, one) for one in test.challengers]),
        "winner": called(detail.versions, test.decision.winner) if test.decision and test.decision.winner else "",
    }
    return Verdict(found.sign, found.look, found.word, found.words.format_map(names))


def _ended(test: ABTest) -> Verdict:
    outcome = test.decision.outcome if test.decision else "stopped"
    if outcome != "promote":
        return _OF_KIND.get(test.kind, {}).get(outcome) or _ENDED[outcome]
    if test.kind == "hold_back":
        if test.settled_at is None:
            return Verdict("↩", "bad", "roll back", "{champion} did harm: {winner} was better. It goes back by itself.")
        return Verdict("↩", "bad", "rolled back", "{champion} did harm: {winner} was better, and is live again.")
    if test.settled_at is None:
        return Verdict("↑", "good", "promote", "{winner} is better than {champion}, and waits to go live.")
    if test.state == "stopped":
        return Verdict("■", "", "declined", "{winner} was better, and an admin left {champion} live all the same.")
    return Verdict("✓", "good", "promoted", "{winner} was better than {champion}, and went live.")


def _open(test: ABTest, found: Sequence[Evidence]) -> Verdict:
    if test.state == "paused":
        return Verdict("⏸", "warn", "paused", "No more pairs are made until it is resumed.")
    most = max(one.pairs for one in found)
    if most < test.design.least_pairs:
        return Verdict("◔", "info", "collecting", f"{most} of at least {test.design.least_pairs} pairs are closed.")
    if any(one.better >= test.threshold and one.across < one.across_needed for one in found):
        return Verdict("◑", "info", "undecided", "There is evidence of a gain, but the raters do not agree enough yet.")
    return Verdict("◑", "info", "undecided", "The evidence tells neither way yet. It may be looked at any time.")


def preferred(test: ABTest) -> str:
    """Return which version of a comparison came out better; nothing where none did."""
    if test.kind != "comparison" or test.decision is None:
        return ""
    lost = test.decision.outcome in ("harm", "tag", "failures")
    return test.champion if lost else test.decision.winner or ""


def standing(one: Evidence, name: str, champion: str) -> str:
    """Say how a challenger stands against the champion."""
    if not one.pairs:
        return "No pair is closed yet."
    way = "more" if one.gain > 0 else "less"
    liked = "as much as" if round(one.gain, 2) == 0 else f"{abs(one.gain):.2f} stars {way} than"
    many = f"{one.pairs} pair{'' if one.pairs == 1 else 's'}"
    sure = f"A true difference from {signed(one.low)} to {signed(one.high)} stars is not ruled out."
    return f"In {many} raters liked {name} {liked} {champion}. {sure}"


def promise(test: ABTest, one: Evidence) -> str:
    """Say for whom a winner would be better: for those who judged alone, or for raters like them."""
    if test.kind == "hold_back" or not one.raters:
        return ""
    who = f"{one.raters} rater{'' if one.raters == 1 else 's'}"
    if one.raters < FEWEST:
        whom = "this one" if one.raters == 1 else "these"
        return (
            f"This rests on {who} and holds for {whom} alone; others may like it differently. From {FEWEST} raters on "
            f"they are also asked to agree, and {ENOUGH} can speak for others like them."
        )
    agree = "agree" if one.across >= one.across_needed else "do not agree"
    told = f"Its {who} {agree} enough to speak for others like them ({one.across:.2f} of {one.across_needed:.2f})."
    return f"{told} {_how_sure(one.raters)}"


def _how_sure(raters: int) -> str:
    """Say how well what is promised to raters like those who judged is kept (`benchmarks.abtest`)."""
    if raters >= ENOUGH:
        return "The promise is for raters like these, not only for these."
    weaker = f"with {FEWEST}, 6 or 7 of 100 tests of nothing find something, not 5"
    return f"The promise is for {ENOUGH} raters or more: {weaker}."


def signed(value: float) -> str:
    """Return a difference in stars with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def strength(value: float) -> str:
    """Return evidence as people write it: with few digits, and huge ones as such."""
    if value >= 1e6:
        return "over a million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def duration(one: Expected) -> str:
    """Say how many pairs and days it takes to find a gain."""
    if math.isinf(one.pairs):
        return f"A gain of {one.effect:g} stars is hardly ever found."
    many = f"A true gain of {one.effect:g} stars takes about {one.pairs:.0f} pairs"
    if math.isinf(one.days):
        return f"{many}."
    return f"{many}: {days(one.days)}."


def days(value: float) -> str:
    """Return how long something takes."""
    if value > LONGEST:
        return "more than a year"
    if value < 1:
        return "less than a day"
    return f"about {value:.0f} day{'' if round(value) == 1 else 's'}"


def pace(found: Pace) -> str:
    """Say how fast pairs are closed and how far they differ, and how that is known."""
    known = f"as {found.known} pairs of this study suggest" if found.known else "as is usual"
    spread = f"Differences are taken to spread by {found.spread:.2f} stars, {known}."
    if not found.pairs_a_day:
        return f"Nobody has rated in the last week, so there is no telling how many days that is. {spread}"
    source = "as this test did lately" if found.is_measured else "as many as the last week's ratings would make"
    return f"Reckoned with {found.pairs_a_day:.1f} pairs a day, {source}. {spread}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
