"""What the local generator understands of a prompt: phrases, and the parameter shifts they ask for.

A phrase shifts parameters by its entry's amounts. Modifiers before it in the same clause multiply: "slightly" halves,
"much" strengthens, "not", "less", "remove" turn round, "not too" turns round by half. Clauses end at punctuation,
"and", "but", "then"; "or" hands the modifiers on to the next phrase. Within a component an entry counts once, as last
said. Phrases of `prompt` shift; those of `negative_prompt` shift the other way. Other components say nothing here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """Phrases that mean the same, the shifts they ask for in units of the parameters, and a sentence that says so."""

    phrases: tuple[str, ...]
    shifts: Mapping[str, float]
    says: str


def _entry(says: str, phrases: str, **shifts: float) -> Entry:
    return Entry(tuple(phrase.strip() for phrase in phrases.split(",")), shifts, says)


LEXICON = (
    _entry("Shift white balance towards amber.", "warm, warmer, warmth, golden, amber, yellowish", temperature=0.3),
    _entry("Shift white balance towards blue.", "cool, cooler, cold, colder, bluish, blue cast", temperature=-0.3),
    _entry("Give more light.", "bright, brighter, lighter, airy, overexposed, blown highlights", exposure=0.4),
    _entry("Give less light.", "dark, darker, moody, gloomy, underexposed", exposure=-0.4),
    _entry("Open the shadows.", "open shadows, lift shadows, lift the shadows, bright shadows", gamma=0.2),
    _entry("Deepen the shadows.", "deep shadows, rich blacks, deeper blacks, crushed blacks", gamma=-0.15),
    _entry("Set light and dark further apart.", "contrast, contrasty, punchy, punch, harsh, harsh light", contrast=0.2),
    _entry("Bring light and dark closer together.", "flat, low contrast, dull", contrast=-0.15),
    _entry("Lose contrast and colour.", "washed out, faded, bleached", contrast=-0.15, saturation=-0.2),
    _entry("Make colours stronger.", "vivid, vibrant, colorful, colourful, saturated, saturation, rich colors, "
           "rich colours, oversaturated, garish", saturation=0.3),
    _entry("Make colours quieter.", "muted, pastel, desaturated, colorless, colourless, subdued", saturation=-0.3),
    _entry("Sharpen details.", "crisp, crisper, sharp, sharper, sharpen, sharpening, sharpness, detailed, fine detail, "
           "oversharpened, halos", sharpness=0.5),
    _entry("Leave details unsharpened.", "blurry, blur, blurred, unsharp", sharpness=-0.5),
    _entry("Soften light and details.", "soft, softer, soft light, dreamy, gentle light", contrast=-0.12, gamma=0.1,
           sharpness=-0.3),
    _entry("Leave the veil of the air in.", "haze, hazy, fog, foggy, mist, misty, milky", dehaze=-0.4),
    _entry("Take the veil of the air away.", "dehaze, clear air, clear view, clear sky", dehaze=0.4),
    _entry("Leave the noise in.", "noise, noisy, grain, grainy, speckles", denoise=-0.4),
    _entry("Take noise away.", "clean, cleaner, smooth, smoother, denoise, noise free", denoise=0.4),
    _entry("Bring out local contrast.", "clarity, structure, texture, depth, local contrast, hdr", clahe_clip=0.8),
    _entry("Hold back: less colour, local contrast, dehazing and sharpening.", "natural, realistic, lifelike, "
           "authentic, true to life", saturation=-0.08, clahe_clip=-0.5, dehaze=-0.1, sharpness=-0.2),
)  # fmt: skip

MODIFIERS = {
    "slightly": 0.5, "a bit": 0.5, "a little": 0.5, "a touch": 0.5, "a hint of": 0.5, "subtly": 0.5, "gently": 0.5,
    "somewhat": 0.75, "very": 1.5, "really": 1.5, "much": 1.75, "far": 1.75, "strongly": 1.75, "extremely": 2.0,
    "not": -1.0, "no": -1.0, "less": -1.0, "without": -1.0, "avoid": -1.0, "avoiding": -1.0, "remove": -1.0,
    "removing": -1.0, "reduce": -1.0, "reducing": -1.0, "never": -1.0, "dont": -1.0, "nor": -1.0, "cut": -1.0,
    "not too": -0.5, "not overly": -0.5,
}  # fmt: skip

_CLAUSE_END = re.compile(r"[.,;:!?\n()]+|\b(?:and|but|then)\b")
_WORD = re.compile(r"[a-z]+")


def _by_words(phrases: Iterable[str]) -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): phrase for phrase in phrases}


_ENTRY_OF = {phrase: entry for entry in LEXICON for phrase in entry.phrases}
_KNOWN = _by_words([*_ENTRY_OF, *MODIFIERS])
_LONGEST = max(map(len, _KNOWN))


def shifts(prompt: Mapping[str, str]) -> dict[str, float]:
    """Return what a prompt asks of each parameter, in its units; what it does not touch is absent."""
    total: dict[str, float] = {}
    for component, sign in (("prompt", 1.0), ("negative_prompt", -1.0)):
        for says, weight in weights(prompt.get(component, "")).items():
            for name, amount in _SHIFTS_OF[says].items():
                total[name] = total.get(name, 0.0) + sign * weight * amount
    return total


_SHIFTS_OF = {entry.says: entry.shifts for entry in LEXICON}


def weights(text: str) -> dict[str, float]:
    """Return how strongly a text asks for each entry, by its sentence: 1 plainly, negative where turned round."""
    found: dict[str, float] = {}
    plain = re.sub(r"['’]", "", text.lower())
    for clause in _CLAUSE_END.split(plain):
        found |= _clause_weights(_WORD.findall(clause))
    return found


def _clause_weights(words: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    factor, start = 1.0, 0
    while start < len(words):
        phrase, length = _longest_at(words, start)
        start += length
        if phrase in MODIFIERS:
            factor *= MODIFIERS[phrase]
        elif phrase:
            found[_ENTRY_OF[phrase].says] = factor
            factor = factor if words[start : start + 1] == ["or"] else 1.0
    return found


def _longest_at(words: list[str], start: int) -> tuple[str, int]:
    for length in range(min(_LONGEST, len(words) - start), 0, -1):
        phrase = _KNOWN.get(tuple(words[start : start + length]))
        if phrase:
            return phrase, length
    return "", 1
