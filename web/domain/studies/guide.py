"""What raters of a study are told: the criteria, the scale, examples, tags, and what they consent to."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from ml_service.errors import InvalidRequest

SCORES = {"1": "Bad", "2": "Poor", "3": "Fair", "4": "Good", "5": "Excellent"}
ANCHORS = {
    "1": "Spoilt: you would delete it.",
    "2": "Faults are the first thing you see.",
    "3": "Usable; something disturbs.",
    "4": "You would keep it as it is.",
    "5": "You would show it to others.",
}
# docs/rating-guide.md says the same, with reasons; a test compares the two.
WORDS = """\
Say how good the photo looks to you, as a whole, at first sight. For most photos there is no right answer, and \
nobody's taste is wrong. A few are plainly spoilt or plainly fine, so that nearly all agree: a practice is of those.

Judge what was done to the photo, not what it shows: light, colour, contrast, sharpness, noise, and whether it looks \
natural. A dull subject can be treated well, and a lovely one badly.

Hold the original beside it where you are unsure. What counts is the photo you are shown: one that was hardly changed \
may deserve a 5, and one that was much improved may still be a 2.

Use the whole scale, and judge each photo by itself. A photo may come again: rate it as you see it then, not as you \
remember it.

Skip a photo that does not load, is broken, or that you would rather not see. That costs you nothing.

Rate with the screen bright and without a coloured filter, in even light. Take a break when photos begin to look alike.
"""
MOST_WORDS, MOST_ANCHOR, MOST_LABEL, MOST_TAGS = 8_000, 200, 40, 12
TAG = r"^[a-z_]{1,24}$"
TAGS: dict[str, str] = {
    "too_dark": "Too dark",
    "too_bright": "Too bright",
    "colour": "Colours look wrong",
    "over_sharp": "Over-sharpened",
    "blurry": "Blurry",
    "noisy": "Noisy",
    "hazy": "Hazy or flat",
    "artificial": "Looks artificial",
}


def _is_line(limit: int) -> Callable[[str], bool]:
    return lambda text: 0 < len(text.strip()) <= limit and "\n" not in text


@dataclass(frozen=True)
class Guide:
    """What raters of a study are told; `words`, `anchors` and `examples` explain the scores, `tags` name faults.

    Paragraphs of `words` and `consent` stand apart by an empty line. `anchors` has a sentence for each score,
    `examples` the id of an output for some; where `consent` is empty, nobody is asked for any.
    """

    words: str = WORDS
    anchors: dict[str, str] = field(default_factory=lambda: dict(ANCHORS))
    examples: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=lambda: dict(TAGS))
    consent: str = ""

    @property
    def consent_hash(self) -> str:
        """The hash of what raters consent to, or nothing where they are not asked."""
        return hashlib.sha256(self.consent.encode()).hexdigest() if self.consent else ""

    @property
    def hash(self) -> str:
        """The hash of all of it, by which a change can be told from another."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def check(self) -> None:
        """Refuse a guide that could not be shown, or that lacks a score."""
        if not self.words.strip() or max(len(self.words), len(self.consent)) > MOST_WORDS:
            raise InvalidRequest(
                f"The guidelines need words; they and the consent have room for {MOST_WORDS} characters."
            )
        if self.anchors.keys() != SCORES.keys() or not all(map(_is_line(MOST_ANCHOR), self.anchors.values())):
            raise InvalidRequest(
                f"Say what each score from 1 to 5 means, in one line of at most {MOST_ANCHOR} characters."
            )
        if not self.examples.keys() <= SCORES.keys():
            raise InvalidRequest("Examples are of the scores 1 to 5.")
        if not 1 <= len(self.tags) <= MOST_TAGS or not all(map(_is_line(MOST_LABEL), self.tags.values())):
            raise InvalidRequest(f"Give 1 to {MOST_TAGS} tags, each with a label of at most {MOST_LABEL} characters.")
        if not all(re.fullmatch(TAG, tag) for tag in self.tags):
            raise InvalidRequest("The id of a tag has 1 to 24 small letters and underscores, such as too_dark.")
