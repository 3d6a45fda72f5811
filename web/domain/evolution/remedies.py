"""What the scripted evolver knows: what each complaint calls for, as a documented table of tags, words and edits.

A complaint is a tag of the default guide, or one that only comments tell apart. Against it, sentences are added, the
mildest first, and sentences that ask for what is complained of are taken out. They are phrases that the local
generator understands; a test holds that each moves the right parameter the right way.
"""

import re
from dataclasses import dataclass

from web.domain import words
from web.domain.studies.guide import TAGS


@dataclass(frozen=True)
class Remedy:
    """One complaint: its name, the sentences that answer it, words that cause it, and words of comments that say it."""

    says: str
    adds: tuple[str, ...]
    causes: tuple[str, ...]
    said: tuple[str, ...]
    opposite: str = ""


REMEDIES: dict[str, Remedy] = {
    "too_dark": Remedy(
        TAGS["too_dark"],
        ("Lift the shadows.", "Make it slightly brighter.", "Make it brighter.", "Let the light be airy."),
        ("dark", "darker", "moody", "gloomy", "deep shadows", "rich blacks", "deeper blacks"),
        ("dark", "darker", "gloomy", "underexposed", "dim", "murky"),
        "too_bright",
    ),
    "too_bright": Remedy(
        TAGS["too_bright"],
        ("Avoid blown highlights.", "Make it slightly darker.", "Make it darker.", "Keep deeper blacks."),
        ("bright", "brighter", "lighter", "airy", "lift the shadows", "open shadows"),
        ("bright", "overexposed", "blown", "glaring", "glare"),
        "too_dark",
    ),
    "colour": Remedy(
        TAGS["colour"],
        ("Keep colours true to life.", "Keep colours lifelike.", "Use slightly less saturation."),
        ("vivid", "vibrant", "saturated", "golden", "rich colours", "warmer", "cooler"),
        ("cast", "tint", "tinted"),
    ),
    "too_warm": Remedy(
        "Too warm",
        ("Make it slightly cooler.", "Make it cooler.", "Not too warm."),
        ("warm", "warmer", "golden", "amber"),
        ("warm", "yellow", "yellowish", "orange"),
        "too_cool",
    ),
    "too_cool": Remedy(
        "Too cool",
        ("Make it slightly warmer.", "Make it warmer.", "Give it golden light."),
        ("cool", "cooler", "cold", "colder"),
        ("cold", "blue", "bluish"),
        "too_warm",
    ),
    "garish": Remedy(
        "Colours too strong",
        ("Not overly saturated.", "Use less saturation.", "Use muted colours."),
        ("vivid", "vibrant", "saturated", "colourful", "rich colours"),
        ("garish", "oversaturated", "saturated", "neon"),
        "dull",
    ),
    "dull": Remedy(
        "Colours too weak",
        ("Make colours slightly vivid.", "Use rich colours.", "Make it vibrant."),
        ("muted", "pastel", "subdued", "desaturated", "less saturation"),
        ("dull", "colourless", "colorless", "desaturated", "pale"),
        "garish",
    ),
    "over_sharp": Remedy(
        TAGS["over_sharp"],
        ("Use less sharpening.", "Avoid halos.", "Keep details soft.", "Leave it slightly unsharp."),
        ("crisp", "crisper", "sharp", "sharper", "sharpen", "detailed", "fine detail"),
        ("halo", "halos", "oversharpened", "crunchy", "gritty"),
        "blurry",
    ),
    "blurry": Remedy(
        TAGS["blurry"],
        ("Make details slightly crisper.", "Show fine detail.", "Make it much sharper."),
        ("soft", "softer", "dreamy", "less sharpening"),
        ("blurry", "blurred", "blur", "unsharp", "smeared"),
        "over_sharp",
    ),
    "noisy": Remedy(
        TAGS["noisy"],
        ("Reduce noise.", "Keep surfaces smooth.", "Remove grain."),
        ("grain", "grainy", "noise", "noisy"),
        ("noise", "noisy", "grain", "grainy", "speckled"),
    ),
    "hazy": Remedy(
        TAGS["hazy"],
        ("Clear view, slightly more contrast.", "Less haze.", "Give it contrast.", "Make it punchy."),
        ("haze", "hazy", "fog", "foggy", "mist", "misty", "milky", "flat", "faded"),
        ("hazy", "haze", "foggy", "flat", "milky", "veil"),
    ),
    "artificial": Remedy(
        TAGS["artificial"],
        ("Keep it natural.", "Keep it lifelike.", "Keep it true to life."),
        ("hdr", "punchy", "vivid", "vibrant", "clarity", "structure", "texture"),
        ("artificial", "fake", "unnatural", "plastic", "unreal", "hdr"),
    ),
}

_TURNED = "no|not|without|less|never|avoid|reduce|remove|isn't|wasn't|aren't|cut"
_TURNS = re.compile(rf"\b(?:{_TURNED})\b")


def heard(comment: str) -> set[str]:
    """Return the complaints that a comment names; “not dark” names none."""
    found, listed = set(), words.listed(comment)
    for at, word in enumerate(listed):
        if not _TURNS.search(" ".join(listed[max(0, at - 2) : at])):
            found |= {name for name, remedy in REMEDIES.items() if word in remedy.said}
    return found


def asks_for(sentence: str, complaint: str) -> bool:
    """Tell whether a sentence of a prompt asks for what is complained of; one that turns something round does not."""
    said = words.normal(sentence)
    causes = "|".join(map(re.escape, REMEDIES[complaint].causes))
    return _TURNS.search(said) is None and re.search(rf"\b(?:{causes})\b", said) is not None
