"""Real photographs for benchmarks, from Debian's wallpaper packages: fetched on first use, never committed.

The files are listed, since the packages hold renders and drawings too. All are photos of one megapixel or more. Their
licences are in the packages (CC-BY, CC-BY-SA, CC0, GPL-2+, LGPL-3); they are read here and not passed on.
"""

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.errors import Unavailable
from web.adapters.generators.filters import shrink

FOLDER = Path("build/photos")

LOMIRI = "usr/share/backgrounds/{}.jpg"
MATE = "usr/share/backgrounds/mate/nature/{}.jpg"
PLASMA = "usr/share/wallpapers/{}/contents/images/2560x1600.jpg"

FILES: dict[str, tuple[str, str]] = {
    "lomiri-wallpapers-16.04": (
        LOMIRI,
        "Bridge_by_Sander_Klootwijk Dragonfly_by_Bolly Picture_0B_by_freespace Picture_1A_by_freespace "
        "Wine_by_Jakkub_Mede aitzgorri_by_Aitzol_Berasategi free_by_Peter_Nerlich friends_by_Aitzol_Berasategi "
        "greentock_by_Peter_Nerlich life_by_Aitzol_Berasategi picosdeeuropa_by_Aitzol_Berasategi "
        "seeding_by_Clements_Engelhardt sunset_by_Aitzol_Berasategi",
    ),
    "lomiri-wallpapers-20.04": (LOMIRI, "Kleiber_by_Lukas_Baubkus"),
    "mate-backgrounds": (
        MATE,
        "Aqua Blinds Dune FreshFlower Garden GreenMeadow LadyBird RainDrops Storm TwoWings Wood YellowFlower",
    ),
    "plasma-workspace-wallpapers": (
        PLASMA,
        "BytheWater ColdRipple ColorfulCups DarkestHour EveningGlow FallenLeaf Grey Kite OneStandsOut Path summer_1am",
    ),
}


@dataclass(frozen=True)
class Photo:
    """A photo by name and the hash of its file; the image is blue, green, red in 8 bits, as small as was asked."""

    name: str
    sha256: str
    image: NDArray[np.uint8]


def load_photos(side: int, folder: Path = FOLDER) -> list[Photo]:
    """Return all photos with their longer side `side` pixels (at most 320) long, fetching what is missing."""
    return [
        _read(_unpacked(package, folder) / pattern.format(name), name, side)
        for package, (pattern, names) in FILES.items()
        for name in names.split()
    ]


def _read(path: Path, name: str, side: int) -> Photo:
    body = path.read_bytes()
    # The JPEG decoder averages four by four pixels by itself; the smallest photo is 1,280 pixels wide.
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_REDUCED_COLOR_4)
    if image is None:
        raise Unavailable(f"{path} is not a photo that can be read; delete {FOLDER} and try again.")
    return Photo(name, hashlib.sha256(body).hexdigest(), shrink(np.asarray(image, np.uint8), side))


def _unpacked(package: str, folder: Path) -> Path:
    place = folder / package
    if not place.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as draft:
            _fetch(package, Path(draft))
            (Path(draft) / "files").rename(place)
    return place


def _fetch(package: str, draft: Path) -> None:
    advice = f"unpack the Debian package {package} to {FOLDER / package} by hand, or run this on Debian with a network"
    if not all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb")):
        raise Unavailable(f"Photos come from Debian packages, and apt-get or dpkg-deb is missing here: {advice}.")
    fetched = subprocess.run(["apt-get", "download", package], cwd=draft, capture_output=True, text=True)
    archive = next(draft.glob("*.deb"), None)
    if archive is None:
        raise Unavailable(f"The package {package} cannot be had ({fetched.stderr.strip()[-200:]}): {advice}.")
    subprocess.run(["dpkg-deb", "-x", archive.name, "files"], cwd=draft, check=True)
