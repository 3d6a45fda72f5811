"""The restoration game: a camera spoils good photos, and one setting of the enhancer is to undo that on all of them.

Raters score a result by its likeness to the original, each with habits of their own and no taste for a setting, for
all want the original back. Photos that are rated and photos that judge the chosen setting are other photos. Everything
is seen at 320 pixels of the longer side.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import Photo
from benchmarks.raters import SEEN, SESSION, Raters
from ml_service.optimizer.space import SearchSpace
from ml_service.wire.contract import FloatParameter, ParameterSpace, Point
from web.adapters.generators.local import SPACE, LocalGenerator, decode, encode, enhance
from web.adapters.images.faults import CAMERAS, degrade, latent_quality
from web.ports.making import GenerateRequest

SIDE = 320
UPLOADS, OPTIONS = 25, 5
CHECKPOINTS = (25, 50, 125)  # ratings after which a method must name its best point
RATERS = 5
NUMBERS = ParameterSpace(parameters={n: p for n, p in SPACE.parameters.items() if isinstance(p, FloatParameter)})
SEARCH = SearchSpace(NUMBERS)

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Shot:
    """A photo as the camera took it: the JPEG that is uploaded, its pixels, and the original to compare with."""

    sha256: str
    original: Image
    body: bytes
    spoilt: Image


@dataclass
class Rater:
    """One rater of a game, whose level moves with the ratings given: level, scale, noise, cut points, stars a session.

    Their luck with a picture is of the picture, so that it does not depend on who plays; `said` is what they gave.
    """

    name: str
    seed: int
    bias: float
    scale: float
    noise: float
    cuts: NDArray[np.float64]
    moves: float
    said: dict[bytes, int] = field(default_factory=dict)

    def score(self, quality: float, picture: bytes) -> int:
        """Return whole stars from 1 to 5; the same picture gets the same score again."""
        key = hashlib.sha256(f"{self.seed} {self.name} ".encode() + picture).digest()
        if key not in self.said:
            luck = np.random.default_rng(list(key)).normal(0, self.noise)
            felt = 3 + self.scale * (quality - 3) + self.bias + self.moves * len(self.said) / SESSION + luck
            self.said[key] = 1 + int((felt > self.cuts).sum())
        return self.said[key]


def drawn(raters: Raters, count: int, seed: int) -> list[Rater]:
    """Return so many raters of a population."""
    levels, random = np.random.default_rng(seed).normal(0, raters.level, count), np.random.default_rng([seed, 11])
    half = random.random(count)
    scales = raters.scales(random.normal(size=count), half)
    noises = raters.noise * np.exp(raters.noises * random.normal(size=count))
    noises = np.where(half < raters.half, raters.half_noise, 1) * noises
    cuts = np.sort(np.array(raters.cuts) + random.normal(0, raters.cut, (count, 4)))
    moves = raters.trend + random.normal(0, raters.drift, count)
    names = [f"simulated-{n}" for n in range(1, count + 1)]
    habits = zip(names, levels.tolist(), scales.tolist(), noises.tolist(), cuts, moves.tolist(), strict=True)
    return [Rater(name, seed, *own) for name, *own in habits]


class Game:
    """One camera and one draw of photos, raters and noise."""

    def __init__(
        self, camera: str, seed: int, photos: Sequence[Photo], prompt: Mapping[str, str], raters: Raters = SEEN
    ) -> None:
        self.camera, self.seed, self.prompt = camera, seed, prompt
        self.random = np.random.default_rng([seed, list(CAMERAS).index(camera)])
        shots = [self._shot(photos[i]) for i in self.random.permutation(len(photos))]
        self.rated, self.judging = shots[:UPLOADS], shots[UPLOADS:]
        if {shot.sha256 for shot in self.rated} & {shot.sha256 for shot in self.judging}:
            raise AssertionError("a photo that is rated also judges")
        self.raters = drawn(raters, RATERS, seed)
        self.generator = LocalGenerator()
        self.default = self.quality(NUMBERS.default(), self.judging)

    def _shot(self, photo: Photo) -> Shot:
        body = encode(degrade(photo.image, self.camera, self.random))
        return Shot(photo.sha256, photo.image, body, decode(body))

    def quality(self, point: Point, shots: Iterable[Shot]) -> float:
        """Return the mean latent quality, 1 to 5 stars, of photos enhanced at a point."""
        return float(
            np.mean([latent_quality(shot.original, enhance(shot.spoilt, point, self.prompt)) for shot in shots])
        )

    def gain(self, point: Point) -> float:
        """Return how much better a point is than the default, in stars, on the photos that judge."""
        return self.quality(point, self.judging) - self.default

    def untouched(self) -> float:
        """Return the mean latent quality of the photos that judge, as the camera took them."""
        return float(np.mean([latent_quality(shot.original, shot.spoilt) for shot in self.judging]))

    def score(self, upload: int, picture: bytes, shot: Shot) -> int:
        """Return the whole stars that the rater of an upload gives to a picture made from a shot."""
        rater = self.raters[upload % RATERS]
        return rater.score(latent_quality(shot.original, decode(picture)), picture)

    def rate(self, upload: int, points: Iterable[Point]) -> list[int]:
        """Return the stars that an upload gets at some points, made as the product makes them."""
        shot = self.rated[upload]
        requests = (GenerateRequest(shot.body, "image/jpeg", self.prompt, point, 0) for point in points)
        return [self.score(upload, self.generator.generate(request).body, shot) for request in requests]
