#!/usr/bin/env bash
# One would guess: `pyarrow.array([1, 2])` makes an array of a list; who has never asked for pandas does not get it.
# What happens: the first such call imports pandas where that is installed, to see whether the list is one of its series. It
# costs some 60 MB of memory and as much time as `import pandas`, on the first row and not at start. Without pandas in
# the environment nothing is loaded. `from_pandas=False` does not change that.
# Who is hit: services with a limit of memory that write Parquet or Arrow from plain Python values, and whose environment
# has pandas for something else.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check pyarrow==26.0.1 numpy==2.4.6
cat > "$folder/look.py" <<'PY'
import sys
import time
from pathlib import Path

import numpy  # noqa: F401  pyarrow loads it at its own import
import pyarrow as pa


def resident() -> float:
    """Return the megabytes of memory that this process has resident."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


before, began = resident(), time.perf_counter()
pa.array([1, 2], pa.int64(), from_pandas=False)
took, more = time.perf_counter() - began, resident() - before
print(f"pyarrow {pa.__version__}: array([1, 2]) took {more:.0f} MB and {took:.2f} s; pandas is loaded: {'pandas' in sys.modules}")
raise SystemExit(("pandas" in sys.modules) is not (sys.argv[1] == "with") or (more > 20) is not (sys.argv[1] == "with"))
PY
cd "$folder"
env/bin/python look.py without
env/bin/python -m pip install --quiet --disable-pip-version-check pandas==3.1.1
env/bin/python look.py with
