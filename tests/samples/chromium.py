"""What Chromium shows of the sample files: sizes and mean colours of the quarters, kept beside this file.

`python -m tests.samples.chromium` measures them anew; a journey holds that the kept ones are what Chromium says today.
"""

import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from tests.journeys.browser import chromium
from tests.samples.files import samples

KEPT = Path(__file__).with_suffix(".json")
MIDDLES = (3 / 16, 9 / 16)  # where the middle quarter of a quarter begins, as a share of a side

# The middles are read where nothing of a neighbour or of a frame is near; null where Chromium shows nothing.
READ = """async ([bytes, middles]) => {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))]));
  try { await image.decode(); } catch { return null; }
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const mean = (left, top) => {
    const { data } = context.getImageData(Math.floor(left * width), Math.floor(top * height), width >> 2, height >> 2);
    const sums = [0, 0, 0];
    data.forEach((value, at) => { if (at % 4 < 3) sums[at % 4] += value; });
    return sums.map((sum) => (4 * sum) / data.length);
  };
  return { size: [width, height], quarters: middles.flatMap((top) => middles.map((left) => mean(left, top))) };
}"""


@dataclass(frozen=True)
class Shown:
    """How a picture stands: its size, and the mean colours of its quarters, row by row."""

    size: tuple[int, int]
    quarters: tuple[tuple[float, ...], ...]

    def apart(self, other: "Shown") -> float:
        """Return the largest difference of a mean colour, in levels; infinite where sizes differ."""
        if self.size != other.size:
            return float("inf")
        return float(np.abs(np.subtract(self.quarters, other.quarters)).max())


def kept() -> dict[str, Shown | None]:
    """Return what Chromium showed of each sample when it was measured last, None where it showed nothing."""
    return {name: _shown(one) for name, one in json.loads(KEPT.read_text()).items()}


def measured(browser: Browser) -> dict[str, Shown | None]:
    """Return what a Chromium shows of each sample."""
    page = browser.new_page()
    try:
        return {
            name: _shown(page.evaluate(READ, [b64encode(body).decode(), list(MIDDLES)]))
            for name, body in samples().items()
        }
    finally:
        page.close()


def looked_at(image: Image.Image) -> Shown:
    """Return how a decoded picture stands, read at the same places."""
    values = np.asarray(image.convert("RGB"), np.float64)
    height, width = values.shape[:2]
    means = [
        values[int(top * height) :, int(left * width) :][: height >> 2, : width >> 2].mean((0, 1))
        for top in MIDDLES
        for left in MIDDLES
    ]
    return Shown(image.size, tuple(tuple(float(value) for value in mean) for mean in means))


def _shown(found: dict[str, list[list[float]]] | None) -> Shown | None:
    if found is None:
        return None
    width, height = (int(side) for side in np.ravel(found["size"]))
    return Shown((width, height), tuple(tuple(round(value, 1) for value in mean) for mean in found["quarters"]))


def main() -> None:
    """Measure all samples and keep what was found."""
    with chromium() as browser:
        found = measured(browser)
    lines = [f"{json.dumps(name)}: {json.dumps(one and asdict(one))}" for name, one in found.items()]
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
