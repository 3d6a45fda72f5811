#!/usr/bin/env bash
# One would guess: `importlinter.cli.lint_imports()`, called from a test to hold the import contracts, reads files and says
# whether they hold; the process that called it is as it was before.
# What happens: it configures logging by `logging.config.dictConfig` without `disable_existing_loggers: False`, so every logger
# that exists by then is disabled for the rest of the process.
# Who is hit: whoever checks contracts inside a test suite. Tests that come later in the same process and read logs (pytest's
# `caplog`) find none and fail, by order or by how tests are spread over processes; a program that calls it falls silent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check import-linter==2.16 grimp==3.19
mkdir -p "$folder/work/sample"
cd "$folder/work"
touch sample/__init__.py sample/low.py
echo "import sample.low" > sample/high.py
cat > .importlinter <<'INI'
[importlinter]
root_package = sample

[importlinter:contract:layers]
name = Layers
type = layers
layers =
    sample.high
    sample.low
INI
cat > look.py <<'PY'
import io
import logging
from importlib.metadata import version

from importlinter.cli import lint_imports

heard = io.StringIO()
log = logging.getLogger("shop.orders")
log.addHandler(logging.StreamHandler(heard))
log.warning("before")
code = lint_imports(".importlinter", no_cache=True)
log.warning("after")
print(f"import-linter {version('import-linter')}: lint_imports() returned {code}")
print(f"logger disabled: {log.disabled}; heard: {heard.getvalue().split()}")
raise SystemExit(0 if code == 0 and log.disabled and heard.getvalue().split() == ["before"] else 1)
PY
"$folder/env/bin/python" look.py
