#!/usr/bin/env bash
# One would guess: `read_parquet(['a.parquet', 'b.parquet'])` finds a type that holds the values of both, or refuses; no value
# becomes another one unsaid.
# What happens: DuckDB takes each column's type from the first file. Where that is a whole number and a later file has reals,
# they are rounded: 2.7 becomes 3, without a word. In the other order they are kept. `union_by_name = true` looks at all
# files and keeps them in either order.
# Who is hit: whoever reads exports of several times or projects together, where a column was whole in the first of them, as
# by a wildcard, in which the first is whichever name sorts first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.1
cat > "$folder/look.py" <<'PY'
import duckdb

db = duckdb.connect()
print(f"duckdb {duckdb.__version__}")
db.execute("COPY (SELECT 1::BIGINT AS x) TO 'whole.parquet'")
db.execute("COPY (SELECT 2.7::DOUBLE AS x) TO 'real.parquet'")
seen = {}
for more in ("", ", union_by_name = true"):
    for files in (["whole.parquet", "real.parquet"], ["real.parquet", "whole.parquet"]):
        asked = f"read_parquet({files}{more})"
        seen[asked] = db.execute(f"SELECT max(x) FROM {asked}").fetchone()[0]
        print(f"{asked}: the greatest is {seen[asked]}")
assert list(seen.values()) == [3, 2.7, 2.7, 2.7], "types are found otherwise now"
PY
cd "$folder" && env/bin/python look.py
