import numpy as np
import pytest
from numpy.typing import NDArray

from web.adapters.demo.inputs import sample_photos


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """A good photo: a temple, trees, a lake and a hazy sky; 427 × 640 pixels of blue, green, red."""
    return sample_photos()["china"]
