#!/usr/bin/env bash
# One would guess: tests that carry `@pytest.mark.xdist_group("one")` run in one process under `--dist loadgroup`, which is what
# pytest-xdist's documentation says the group is for.
# What happens: with pytest 9.2.0 and pytest-xdist 3.8.0 the tests of one group are spread over all processes, without a warning.
# pytest-xdist tells its scheduler of a group by a suffix that it puts on the test's id, and that does not arrive there any more;
# with pytest 8.4.2 the same tests stay together.
# Who is hit: suites whose tests of a group share a server, a port, a file or a database: they meet one another, now and then.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/work"
cat > "$folder/work/test_group.py" <<'PY'
import os
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", range(8))
@pytest.mark.xdist_group("one")
def test_of_one_group(number):
    time.sleep(0.2)
    Path(os.environ["SEEN"], os.environ["PYTEST_XDIST_WORKER"]).touch()
PY
processes() {  # how many processes ran the one group, with a version of pytest
    python3 -m venv "$folder/env-$1"
    "$folder/env-$1/bin/python" -m pip install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
    mkdir "$folder/seen-$1"
    (cd "$folder/work" && SEEN="$folder/seen-$1" "$folder/env-$1/bin/python" -m pytest -q -n 2 --dist loadgroup \
        -p no:cacheprovider >"$folder/log-$1" || { cat "$folder/log-$1" >&2; exit 1; })
    find "$folder/seen-$1" -type f | wc -l
}
older=$(processes 8.4.2)
newer=$(processes 9.2.0)
echo "pytest-xdist 3.8.0, --dist loadgroup, eight tests of one group, two processes"
echo "pytest 8.4.2: the group ran in $older process(es)"
echo "pytest 9.2.0: the group ran in $newer process(es)"
[ "$older" = 1 ] && [ "$newer" = 2 ]
