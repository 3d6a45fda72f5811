"""`serve`: the product, with a worker process beside it."""

import socket
import subprocess
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from ml_service.errors import Conflict
from web.cli.command import Desk, address, say, whole
from web.cli.leaving import leave_when_told, leave_within
from web.cli.operations.place import ready_with_demo

RESTART_SECONDS = 1.0
GRACE_SECONDS = 4.3  # for the worker, which gives its jobs less
LAST_SECONDS = 4.6  # after which a request that still waits for something goes with the process


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `serve`."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=whole(0, 65535), help="the port to listen on; default: PORT")
    parser.add_argument("--no-worker", action="store_true", help="leave the jobs to workers started elsewhere")


def run(arguments: Namespace, desk: Desk) -> int:
    """Ready the database, and serve until stopped; say where to go once somebody can."""
    port = arguments.port if arguments.port is not None else desk.settings().port
    _refuse_taken(arguments.host, port)
    leave_when_told()
    lines = greeting(ready_with_demo(desk.settings(), desk.parts()), address(desk.settings(), port))
    ending = threading.Event()

    def greet() -> None:
        say(arguments, "\n".join(lines), url=f"http://{arguments.host}:{port}", lines=lines)

    with _worker_process(arguments.no_worker, ending):
        desk.listen(arguments.host, port, greet, ending)
    return 0


def greeting(secret: str | None, place: str) -> list[str]:
    """Return the lines that tell a newcomer where to go; `secret` lets the first admin in."""
    lines = [f"Palate is at {place}/train"]
    if secret is not None:
        lines.append(f"Sign in as the first admin, once, with {place}/link/{secret}")
    return lines


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            told = f"{host}:{port} cannot be listened on ({error.strerror}); choose another port with --port or PORT."
            raise Conflict(told) from error


@contextmanager
def _worker_process(absent: bool, ending: threading.Event) -> Iterator[None]:
    """Keep a worker process running, starting it again where it dies, until the event or until the block is left."""
    threading.Thread(target=_leave_in_time, args=(ending,), daemon=True).start()
    keeper = threading.Thread(target=_keep_working, args=(ending,))
    if not absent:
        keeper.start()
    try:
        yield
    finally:
        ending.set()
        if not absent:
            keeper.join()


def _keep_working(ending: threading.Event) -> None:
    while not ending.is_set():
        worker = subprocess.Popen([sys.executable, "-m", "web", "work", "--attached"], stdin=subprocess.PIPE)
        while worker.poll() is None and not ending.wait(0.2):
            pass
        try:
            worker.communicate(timeout=GRACE_SECONDS)  # the end of its input tells it to stop
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        ending.wait(RESTART_SECONDS)


def _leave_in_time(ending: threading.Event) -> None:
    ending.wait()
    leave_within(LAST_SECONDS)
