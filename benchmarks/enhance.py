"""How long the local generator takes for a photo of 12 megapixels on one core, filter by filter and with all of them.

The photo is scikit-learn's temple enlarged to 4000 × 3000 pixels, with sensor noise, as a JPEG; all is what `enhance`
does with it: decode, every filter, encode. The dearest style is taken. Times are of the clock. The figure, which
`--check` looks at, is that of the fastest round: other load on the machine can only add to it.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.wire.contract import Point
from web.adapters.demo.inputs import sample_photos
from web.adapters.generators.local import LocalGenerator, decode, encode, enhance
from web.ports.making import GenerateRequest

LIMIT_SECONDS = 2.0
WIDTH, HEIGHT = 4000, 3000

EVERYTHING: Point = {
    "exposure": 0.4,
    "contrast": 1.2,
    "saturation": 1.2,
    "temperature": 0.3,
    "gamma": 1.1,
    "clahe_clip": 1.0,
    "dehaze": 0.4,
    "denoise": 0.4,
    "sharpness": 0.6,
    "style": "film",
}


def large_photo() -> NDArray[np.uint8]:
    """Return a photo of 12 megapixels with detail in every pixel."""
    enlarged = cv2.resize(sample_photos()["china"], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).integers(0, 9, enlarged.shape, np.uint8)
    return np.asarray(cv2.add(enlarged, noise), np.uint8)


def seconds(work: Callable[[], object], rounds: int) -> NDArray[np.float64]:
    """Return how long each of so many rounds took, after one that does not count."""
    work()
    marks = [time.perf_counter()]
    for _ in range(rounds):
        work()
        marks.append(time.perf_counter())
    return np.diff(marks)


def report(name: str, times: NDArray[np.float64]) -> None:
    """Print a mean with its standard error, and the fastest round."""
    error = times.std(ddof=1) / np.sqrt(times.size)
    print(f"{name:<12} {times.mean():6.3f} ± {error:.3f} s   fastest {times.min():.3f} s", flush=True)


def main() -> int:
    """Measure and print; with --check fail where a whole photo takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds instead of ten")
    parser.add_argument("--check", action="store_true", help=f"exit 1 above {LIMIT_SECONDS:g} s")
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else 10
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    image = large_photo()
    body = encode(image)
    print(f"{WIDTH} × {HEIGHT} pixels, JPEG of {len(body) / 1e6:.1f} MB, one core, mean ± standard error of {rounds}")
    report("decode", seconds(partial(decode, body), rounds))
    for name, value in EVERYTHING.items():
        report(name, seconds(partial(enhance, image, {name: value}, {}), rounds))
    report("encode", seconds(partial(encode, image), rounds))
    request = GenerateRequest(body, "image/jpeg", {"prompt": "Crisp, and slightly warmer."}, EVERYTHING, 1)
    whole = seconds(partial(LocalGenerator(max_side=None).generate, request), rounds)
    report("all", whole)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    best = float(whole.min())
    verdict = "within" if best < LIMIT_SECONDS else "OVER"
    print(f"{best:.2f} s for a 12-megapixel photo with everything on, {verdict} the limit of {LIMIT_SECONDS:g} s")
    return int(arguments.check and best >= LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
