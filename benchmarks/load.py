"""A light load on a server of ours: raw HTTP over kept connections, so that the client costs little beside it."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One request, ready to be written to a connection."""

    raw: bytes

    @classmethod
    def of(cls, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> "Call":
        """Build a request with a JSON body."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        lines += ["Content-Type: application/json", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        return cls("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def seconds_for(port: int, calls: Sequence[Sequence[Call]]) -> float:
    """Return how long the server takes for all calls; each inner sequence goes over one connection, in order."""
    return asyncio.run(_all(port, calls))


async def _all(port: int, calls: Sequence[Sequence[Call]]) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(_one_connection(port, mine) for mine in calls))
    return time.perf_counter() - started


async def _one_connection(port: int, calls: Sequence[Call]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for call in calls:
        body = await answer(reader, writer, call)
        if b'"never_leased"' in body or b'"conflict"' in body:
            raise RuntimeError(f"the server refused: {body[:300]!r}")
    writer.close()
    await writer.wait_closed()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: Call) -> bytes:
    """Send a call over a kept connection and return the body of the answer; any status but 200 is an error."""
    writer.write(call.raw)
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    body = await reader.readexactly(length)
    if status != 200:
        raise RuntimeError(f"the server answered {status}: {body[:300]!r}")
    return body
