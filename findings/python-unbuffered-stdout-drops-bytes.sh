#!/usr/bin/env bash
# One would guess: PYTHONUNBUFFERED=1, which most container images set, makes output come sooner and changes nothing else; what
# is written to `sys.stdout.buffer` is written whole, or raises.
# What happens: `sys.stdout.buffer` is then no buffered writer but a raw file, whose `write` may take a part and return how
# much. Callers ignore that, Pillow's PNG writer among them: a signal that the program handles while a pipe is full ends the
# write early, the rest is dropped without an error, and the exit code is 0. `open(sys.stdout.fileno(), "wb", closefd=False)`
# writes it all.
# Who is hit: programs in containers that send more than a pipe holds and handle any signal (alarms, children, profilers):
# pictures have holes, and a reader that was told a length waits for ever for the rest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
cat > "$folder/send.py" <<'PY'
import signal
import sys

import numpy as np
from PIL import Image

signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.3)  # the reader takes nothing for a second, so the pipe is full by then
noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
out = open(sys.stdout.fileno(), "wb", closefd=False) if sys.argv[1] == "own" else sys.stdout.buffer
Image.fromarray(noise).save(out, "PNG")
out.flush()
PY
cat > "$folder/look.py" <<'PY'
import io
import os
import subprocess
import sys
import time
from importlib.metadata import version

from PIL import Image


def sent(unbuffered: str, out: str) -> str:
    """What arrives of a picture of 270 kB."""
    given = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen([sys.executable, "send.py", out], env=given, stdout=subprocess.PIPE) as sender:
        time.sleep(2)
        body = sender.stdout.read()
    try:
        Image.open(io.BytesIO(body)).load()
        return f"exit code {sender.returncode}, {len(body)} bytes, whole"
    except (OSError, SyntaxError):
        return f"exit code {sender.returncode}, {len(body)} bytes, broken"


print(f"Python {sys.version.split()[0]}, Pillow {version('pillow')}")
seen = {case: sent(*case) for case in (("", "sys.stdout.buffer"), ("1", "sys.stdout.buffer"), ("1", "own"))}
for (unbuffered, out), what in seen.items():
    print(f"PYTHONUNBUFFERED={unbuffered or 'unset':5} {out:17}: {what}")
right = [what.startswith("exit code 0") and what.endswith(end) for what, end in zip(seen.values(), ("whole", "broken", "whole"))]
raise SystemExit(not all(right))
PY
cd "$folder" && env/bin/python look.py
