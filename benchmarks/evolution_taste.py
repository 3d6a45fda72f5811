"""What raters like, hidden from the loop: phrases of a prompt that please them, harm, or do nothing.

A photo is made by a generator that knows some phrases; it is liked by what these are worth to the raters of one run,
by what the photo was worth before, and by luck. Raters are those of `benchmarks.pairs`, one at a time: a latent quality
cut at a rater's own four points, with level, scale, noise, drift, a liking of each phrase that is their own, and
kindness to whatever comes second.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.pairs import LUCK, REPEATS, ROUNDED, SECOND, SPREAD, VARIES
from benchmarks.raters import SEEN, SESSION, Floats
from ml_service.wire.contract import FloatParameter, ParameterSpace
from web.domain import words
from web.ports.making import Generated, GenerateRequest

# Topics by the tag that complains of them: three sentences that answer it, and words in which raters say it.
TOPICS: Mapping[str, tuple[tuple[str, str, str], str]] = {
    "too_dark": (
        ("Lift the shadows.", "Let daylight fill every corner.", "Make it far brighter."),
        "gloomy over there",
    ),
    "colour": (
        ("Keep colours true to life.", "Use a muted palette.", "Let each hue glow."),
        "an odd tint on it",
    ),
    "blurry": (
        ("Show fine detail.", "Draw crisp edges.", "Bring out every texture."),
        "smeared when I look closely",
    ),
    "noisy": (
        ("Keep surfaces smooth.", "Remove all grain.", "Polish what is speckled."),
        "speckled like an old film",
    ),
    "hazy": (
        ("Clear the air.", "Deepen the contrast.", "Give it punch."),
        "flat as through a veil",
    ),
    "artificial": (
        ("Keep it natural.", "Treat it as a plain photograph.", "Leave small flaws in."),
        "looks like plastic to me",
    ),
}
# Sentences that a prompt may begin with by mistake, and the tag under which raters complain of each.
FLAWS: Mapping[str, str] = {
    "Make it moody and dramatic.": "too_dark",
    "Push the saturation up.": "colour",
    "Sharpen everything hard.": "over_sharp",
    "Wrap it in soft mist.": "hazy",
}
VIRTUE, IDLE = "Keep the composition as it is.", "Work with care."
OPENING = "Enhance this photo of {{subject}}."
SPACE = ParameterSpace(parameters={"strength": FloatParameter(low=-1, high=1, default=0)})
WANTED, HALF, AGAINST, USELESS = 0.7, 0.35, -0.5, -0.4
MISTAKE, KEPT, POINT = -0.7, 0.5, 0.5
BASE = 2.5  # stars of a prompt that says nothing
OUTSPOKEN, STRAY, TALKS = 0.4, 0.02, 0.15  # of those who are displeased: tags for a cause, for none, comments


def known(text: str) -> tuple[str, ...]:
    """Return the phrases of a prompt that the generator understands; to all others it is deaf."""
    said = words.normal(text)
    every = [phrase for phrases, _ in TOPICS.values() for phrase in phrases]
    return tuple(phrase for phrase in (*every, *FLAWS, VIRTUE, IDLE) if words.normal(phrase) in said)


class Painter:
    """A generator whose picture is a note of what it was made from."""

    name = "local"

    def space(self) -> ParameterSpace:
        """Return its one parameter."""
        return SPACE

    def limits(self) -> Mapping[str, int]:
        """Take as much as anybody writes."""
        return {"prompt": 5000, "negative_prompt": 5000}

    def generate(self, request: GenerateRequest) -> Generated:
        """Make the note; what it does not understand changes nothing."""
        source = hashlib.sha256(request.source).hexdigest()
        note = {"source": source, "phrases": known(request.prompt["prompt"]), "point": dict(request.point)}
        return Generated(json.dumps(note | {"seed": request.seed}).encode(), "image/png", 8, 8)


@dataclass(frozen=True)
class Taste:
    """What the phrases are worth to the raters of one run, in stars."""

    seed: int
    flaw: str
    worth: Mapping[str, float]
    wanted: tuple[str, ...]

    @classmethod
    def drawn(cls, seed: int) -> "Taste":
        """Draw a taste: two topics that raters miss, one mistake in the first prompt, and much that is useless."""
        random = np.random.default_rng([seed, 1])
        topics, flaws = list(TOPICS), list(FLAWS)
        flaw = flaws[int(random.integers(len(flaws)))]
        free = [topic for topic in topics if topic != FLAWS[flaw]]
        wanted = tuple(str(one) for one in random.permutation(free)[:2])
        worth = dict.fromkeys(FLAWS, 0.0) | {flaw: MISTAKE, VIRTUE: KEPT, IDLE: 0.0}
        for topic in topics:
            values = (WANTED, HALF, AGAINST) if topic in wanted else (0.0, 0.0, USELESS)
            worth |= dict(zip(TOPICS[topic][0], random.permutation(np.array(values)).tolist(), strict=True))
        return cls(seed, flaw, worth, wanted)

    @property
    def first(self) -> str:
        """The prompt that a run begins with."""
        return " ".join((OPENING, self.flaw, VIRTUE, IDLE))

    @property
    def best(self) -> float:
        """The true score of the best prompt: the mistake gone, what is wanted said."""
        return BASE + KEPT + len(self.wanted) * WANTED

    def score(self, text: str) -> float:
        """Return the true score of a prompt: what it is worth on average over photos, in latent stars."""
        return BASE + self._of(known(text))

    def misses(self, phrases: tuple[str, ...]) -> dict[str, float]:
        """Return how much each complaint is deserved, by its tag."""
        lacks = {topic: (WANTED - self._topic(topic, phrases)) / WANTED for topic in self.wanted}
        harm = {
            topic: -self.worth[phrase] / WANTED
            for topic, (its, _) in TOPICS.items()
            for phrase in its
            if phrase in phrases and self.worth[phrase] < 0 and topic not in self.wanted
        }
        faults = {FLAWS[self.flaw]: 1.0} if self.flaw in phrases else {}
        return lacks | harm | faults

    def quality(self, body: bytes) -> float:
        """Return what one picture is worth, on the latent scale: the same for the same picture."""
        note = json.loads(body)
        phrases, source = tuple(note["phrases"]), note["source"]
        photo = SPREAD * self._chance("photo", source)
        varied = sum(VARIES * self._chance(one, source) for one in phrases if self.worth[one])
        luck = LUCK * self._chance("luck", body.decode())
        return BASE + self._of(phrases) + photo + varied + luck - POINT * float(note["point"].get("strength", 0)) ** 2

    def _of(self, phrases: tuple[str, ...]) -> float:
        alone = sum(self.worth[phrase] for phrase in phrases if phrase in (*FLAWS, VIRTUE, IDLE))
        return alone + sum(self._topic(topic, phrases) for topic in TOPICS)

    def _topic(self, topic: str, phrases: tuple[str, ...]) -> float:
        """Return what is said on a topic: no more than the right sentence alone."""
        return min(WANTED, sum(self.worth[one] for one in TOPICS[topic][0] if one in phrases))

    def _chance(self, what: str, where: str) -> float:
        digest = hashlib.sha256(f"{self.seed} {what} {where}".encode()).digest()
        return float(np.random.default_rng(int.from_bytes(digest[:8])).normal())


@dataclass(frozen=True)
class Said:
    """What a rater says of one picture."""

    star: int
    tags: tuple[str, ...]
    comment: str


class Rater:
    """One rater with a manner of their own, who drifts in the course of a session."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random, self.given = random, 0
        half = random.random()
        self.level, self.drift = random.normal(0, SEEN.level), random.normal(SEEN.trend, SEEN.drift)
        self.scale = float(SEEN.scales(np.array(random.normal()), np.array(half)))
        noise = (SEEN.noise - ROUNDED) * np.exp(random.normal(0, SEEN.noises))
        self.noise = noise * (SEEN.half_noise if half < SEEN.half else 1.0)
        self.second = random.normal(0, SECOND)
        self.cuts: Floats = np.array(SEEN.cuts) + random.normal(0, SEEN.cut, 4)
        # Two prompts that differ by one sentence in place of another are then liked as far apart as two conditions.
        known = [phrase for phrases, _ in TOPICS.values() for phrase in phrases] + [*FLAWS, VIRTUE, IDLE]
        self.likes = dict(zip(known, random.normal(0, SEEN.taste / np.sqrt(2), len(known)).tolist(), strict=True))

    def says(self, taste: Taste, body: bytes, before: int | None) -> Said:
        """Judge a picture; `before` is the star of what was shown just before."""
        phrases = tuple(json.loads(body)["phrases"])
        own = self.level + sum(self.likes[phrase] for phrase in phrases) + (0.0 if before is None else self.second)
        own += self.drift * (self.given / SESSION % 1 - 0.5)
        self.given += 1
        felt = 3 + self.scale * (taste.quality(body) - 3) + own + self.noise * self.random.normal()
        star = 1 + int((felt > self.cuts).sum())
        if before is not None and abs(star - before) <= 1 and self.random.random() < REPEATS:
            star = before
        tags, comment = self._why(taste.misses(phrases)) if star <= 3 else ((), "")
        return Said(star, tags, comment)

    def _why(self, misses: Mapping[str, float]) -> tuple[tuple[str, ...], str]:
        chances = {topic: STRAY + OUTSPOKEN * misses.get(topic, 0.0) for topic in (*TOPICS, "over_sharp")}
        tags = tuple(topic for topic, chance in chances.items() if self.random.random() < chance)
        told = tags and tags[0] in TOPICS and self.random.random() < TALKS
        return tags, f"It is {TOPICS[tags[0]][1]}." if told else ""
