#!/usr/bin/env bash
# One would guess: a file says one thing. `WHERE x >= 4` and `count(*) FILTER (x >= 4)` of one engine count the same rows, and
# the greatest value is one that is at least as great as all others.
# What happens: pyarrow writes NaN as a value and leaves it out of the row group's statistics. DuckDB sorts NaN above all numbers,
# so a FILTER counts it among those from 4 on; but WHERE first looks at the statistics, whose maximum is 3, skips the row
# group and counts none. `max(x)` alone is answered from the statistics, 3; beside another question it is NaN. A group of
# NaN alone has no statistics, so there WHERE counts them. polars counts NaN as at least 4 while its maximum is 3, and pandas
# reads NaN as missing.
# Who is hit: whoever writes missing numbers as NaN, as a float column of numpy does; counts then depend on how rows lie in
# row groups and on how the question is put. Null is missing everywhere.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    pyarrow==26.0.1 duckdb==2.0.1 polars==2.1.0 pandas==3.1.1
cat > "$folder/look.py" <<'PY'
import duckdb
import pandas
import polars
import pyarrow as pa
from pyarrow.parquet import write_table

print(f"pyarrow {pa.__version__}, duckdb {duckdb.__version__}, polars {polars.__version__}, pandas {pandas.__version__}")
nan = float("nan")
FILES = {"nan": [1.0, nan, 3.0], "nan alone": [nan, nan], "null": [1.0, None, 3.0]}


def told(values: list[float | None]) -> dict[str, object]:
    """What each reader says of how many are at least 4, and of the greatest."""
    write_table(pa.table({"x": pa.array(values, pa.float64())}), "x.parquet")
    duck, x = duckdb.connect(), polars.col("x")
    frame, bear = pandas.read_parquet("x.parquet"), polars.read_parquet("x.parquet")
    return {
        "duckdb WHERE": duck.execute("SELECT count(*) FROM 'x.parquet' WHERE x >= 4").fetchone()[0],
        "duckdb FILTER": duck.execute("SELECT count(*) FILTER (x >= 4) FROM 'x.parquet'").fetchone()[0],
        "duckdb max": str(duck.execute("SELECT max(x) FROM 'x.parquet'").fetchone()[0]),
        "and beside a count": str(duck.execute("SELECT max(x), count(*) FILTER (x >= 4) FROM 'x.parquet'").fetchone()[0]),
        "polars": bear.filter(x >= 4).height,
        "polars max": str(bear["x"].max()),
        "pandas": int((frame["x"] >= 4).sum()),
    }


seen = {name: told(values) for name, values in FILES.items()}
for name, answers in seen.items():
    print(f"{name:9}", ", ".join(f"{reader}: {answer}" for reader, answer in answers.items()))
assert list(seen["nan"].values()) == [0, 1, "3.0", "nan", 1, "3.0", 0], "NaN is treated otherwise now"
assert list(seen["nan alone"].values())[:2] == [2, 2], "NaN alone is treated otherwise now"
assert list(seen["null"].values()) == [0, 0, "3.0", "3.0", 0, "3.0", 0], "null is treated otherwise now"
PY
cd "$folder" && env/bin/python look.py
