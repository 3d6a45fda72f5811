"""A text model by script, for a server that speaks chat completions: it knows what it is told, and has its moods.

It reads the texts, the operators, the examples with tags and comments, and what was tried, all from the request. Which
of the sentences that may answer a complaint is the right one it cannot know. One answer in twelve is unusable or holds
an edit that does not fit, as answers of models do.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.evolution_taste import FLAWS, TOPICS
from tests.chat_server import Asked, Reply, saying

FLUFF = (
    "Give it a timeless feel.",
    "Make it worthy of a gallery.",
    "Let it tell a story.",
    "Surprise whoever looks at it.",
)
LISTENS, HUNCH = 0.8, 0.6  # how often it goes by the loudest complaint, and suspects the right sentence
GARBLED, MISQUOTED, DROPPED = 0.03, 0.03, 0.02
SLOT = "local.prompt"
_SENTENCE = re.compile(r"[^.!?]+[.!?]")
Json = dict[str, Any]


def script(random: np.random.Generator) -> Callable[[Asked], Reply]:
    """Return what answers the requests of one run."""
    return lambda asked: _answer(_Told(asked["messages"][-1]["content"]), random)


class _Told:
    """What a request tells."""

    def __init__(self, user: str) -> None:
        prompt, _, data = user.partition("<data>")
        self.prompt: Json = json.loads(prompt[prompt.index("{") : prompt.rindex("}") + 1])
        rows = [json.loads(line) for line in data.partition("</data>")[0].strip().splitlines()]
        self.examples: list[Json] = [row["example"] for row in rows if "example" in row]
        self.tried = " ".join(row["tried"] for row in rows if "tried" in row)
        self.text: str = self.prompt["texts"][SLOT]
        self.other = str(self.prompt.get("other_version", {}).get("texts", {}).get(SLOT, ""))
        self.operators: list[str] = self.prompt["operators"]

    @property
    def sentences(self) -> list[str]:
        return [found.strip() for found in _SENTENCE.findall(self.text) if "{" not in found]

    def complaints(self) -> list[str]:
        """Return what is complained of, the loudest first: tags, and what comments sound like."""
        heard: Counter[str] = Counter()
        for example in self.examples:
            said = set(example["tags"])
            said |= {tag for tag, (_, told) in TOPICS.items() for one in example["comments"] if told in one}
            heard.update({tag: max(0.2, 4 - example["score"]) for tag in said})
        return [tag for tag, _ in heard.most_common()]


def _answer(told: _Told, random: np.random.Generator) -> Reply:
    if random.random() < GARBLED:
        return Reply("I would make it more beautiful.")
    found = [draft for one in told.operators if (draft := _DRAFTS[one](told, random)) is not None]
    if not found:
        return Reply("")
    if random.random() < MISQUOTED:
        found[0]["edits"] = [_edit("replace", "a sentence that is not there", "Another.")]
    if random.random() < DROPPED:
        found[-1]["edits"] = [_edit("replace", "{{subject}}", "it")]
    seen = [example["id"] for example in told.examples][:2]
    causes = told.complaints()[:1] or ["nothing that they say"]
    return saying({"diagnosis": [{"says": f"Raters mind {causes[0]}.", "evidence": seen}], "candidates": found})


def _targeted(told: _Told, random: np.random.Generator) -> Json | None:
    complaints = told.complaints()
    topic = complaints[0] if complaints and random.random() < LISTENS else _one(list(TOPICS), random)
    suspects = [one for one in told.sentences if FLAWS.get(one) == topic]
    if suspects and random.random() < HUNCH:
        return _removed(suspects[0], "targeted")
    return _said_of(topic, told, random, "targeted") or _explore(told, random, "targeted")


def _simplify(told: _Told, random: np.random.Generator) -> Json | None:
    blamed = [one for one in told.sentences if FLAWS.get(one) in told.complaints()[:2]]
    if blamed and random.random() < HUNCH:
        return _removed(blamed[0], "simplify")
    return _removed(_one(told.sentences, random), "simplify") if told.sentences else None


def _explore(told: _Told, random: np.random.Generator, operator: str = "explore") -> Json | None:
    if random.random() < 0.25:
        return _added(_one(list(FLUFF), random), operator)
    topics = [str(one) for one in random.permutation(list(TOPICS))]
    return next((draft for one in topics if (draft := _said_of(one, told, random, operator))), None)


def _merge(told: _Told, random: np.random.Generator) -> Json | None:
    """Take over what the other parent says and this one does not."""
    theirs = [found.strip() for found in _SENTENCE.findall(told.other) if "{" not in found]
    fresh = [one for one in theirs if one not in told.text][:4]
    gone = [one for one in told.sentences if one not in told.other][:2] if random.random() < 0.5 else []
    edits = [_edit("add", "", " ".join(fresh))] if fresh else []
    edits += [_edit("remove", one, "") for one in gone]
    return _draft("merge", edits, "Takes over what another version says") if edits else None


def _said_of(topic: str, told: _Told, random: np.random.Generator, operator: str) -> Json | None:
    """Say one of the sentences that may answer a complaint, one that was not tried where there is such a one."""
    if topic not in TOPICS:
        return None
    open_now = [one for one in TOPICS[topic][0] if one not in told.text]
    fresh = [one for one in open_now if one not in told.tried] or open_now
    if not fresh:
        return None
    new = _one(fresh, random)
    said = [one for one in told.sentences if one in TOPICS[topic][0]]
    if said and random.random() < 0.5:
        return _draft(operator, [_edit("replace", said[0], new)], f"“{new}” in place of “{said[0]}”")
    return _added(new, operator)


def _added(new: str, operator: str) -> Json:
    return _draft(operator, [_edit("add", "", new)], f"Added “{new}”")


def _removed(gone: str, operator: str) -> Json:
    return _draft(operator, [_edit("remove", gone, "")], f"Took out “{gone}”")


def _draft(operator: str, edits: list[Json], changelog: str) -> Json:
    return {"operator": operator, "edits": edits, "changelog": f"{changelog}.", "expected_effect": "Raters like it."}


def _edit(kind: str, quote: str, text: str) -> Json:
    return {"kind": kind, "slot": SLOT, "quote": quote, "text": text}


def _one(among: list[str], random: np.random.Generator) -> str:
    return among[int(random.integers(len(among)))]


_DRAFTS: Mapping[str, Callable[[_Told, np.random.Generator], Json | None]] = {
    "targeted": _targeted,
    "simplify": _simplify,
    "explore": _explore,
    "merge": _merge,
}
