"""The product: studies, raters, ratings, prompts, and the pages and machines that use them."""

import os

# Unpinned, small models were measured to be up to ten times slower; BLAS reads these when it is first imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# OpenCV reads this when it is first imported; a small file that claims more pixels would take gigabytes to decode.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "25000000")
