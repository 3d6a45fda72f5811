#!/usr/bin/env bash
# One would guess: an ASGI app on AWS Lambda behind Mangum answers a JSON error of RFC 9457 (`application/problem+json`) as it
# answers `application/json`: as text.
# What happens: only types that begin with one of a short list are text; `application/problem+json` (and any other `+json` type)
# is not in it, so each error goes out as base64 with `isBase64Encoded: true`, while the answers that succeed go out as text.
# Who is hit: whoever sends problem details from Lambda. Where a gateway does not decode (a REST API without binary media types),
# clients get base64 exactly when something goes wrong, and tests that look only at good answers see nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check mangum==0.22.0
cat > "$folder/look.py" <<'PY'
from importlib.metadata import version

from mangum import Mangum


def app_of(kind):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": b'{"title": "Not found"}'})

    return app


EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "example.org"},
    "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "192.0.2.1"}, "stage": "$default"},
    "isBase64Encoded": False,
}
print("mangum", version("mangum"))
found = {}
for kind in ("application/json", "application/problem+json", "application/vnd.api+json", "image/svg+xml"):
    answer = Mangum(app_of(kind), lifespan="off")(EVENT, None)
    found[kind] = answer["isBase64Encoded"]
    print(f"{kind}: isBase64Encoded {answer['isBase64Encoded']}, body {answer['body']}")
assert found["application/json"] is False
assert found["application/problem+json"] is True
PY
"$folder/env/bin/python" "$folder/look.py"
