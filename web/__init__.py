"""The product: studies, raters, ratings, prompts, and the pages and machines that use them."""

import gc
import os

# Unpinned, small models were measured to be up to ten times slower; BLAS reads these when it is first imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# OpenCV reads this when it is first imported; a small file that claims more pixels would take gigabytes to decode.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "25000000")

# What is imported stays: to look through it for garbage again and again took a fifth of each start.
gc.set_threshold(50_000)
