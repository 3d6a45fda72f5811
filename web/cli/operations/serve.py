"""`serve`, `work` and `migrate`: the processes, and the schema they need."""

import os
import signal
import socket
import subprocess
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ml_service.errors import Conflict
from web.cli.command import Command, say

RESTART_SECONDS = 1.0
GRACE_SECONDS = 20.0


def serve_command(prepare: Callable[[int], list[str]], listen: Callable[[str, int], None], port: int) -> Command:
    """Return `serve`: `prepare` readies the database and returns lines to print, `listen` serves until stopped."""

    def run(arguments: Namespace) -> int:
        chosen = arguments.port if arguments.port is not None else port
        _refuse_taken(arguments.host, chosen)
        lines = prepare(chosen)
        with _worker_process(arguments.no_worker):
            say(arguments, "\n".join(lines), url=f"http://{arguments.host}:{chosen}", lines=lines)
            listen(arguments.host, chosen)
        return 0

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--port", type=int, help="the port to listen on; default: PORT")
        parser.add_argument("--no-worker", action="store_true", help="leave the jobs to workers started elsewhere")

    return Command("serve", "serve the product, with a worker process beside it", run, arguments)


def work_command(work: Callable[[threading.Event, int], None]) -> Command:
    """Return `work`, which does jobs until it is stopped."""

    def run(arguments: Namespace) -> int:
        stop = threading.Event()

        def on_signal(_: int, __: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, on_signal)
        if arguments.parent is not None:
            threading.Thread(target=_stop_without, args=(arguments.parent, stop), daemon=True).start()
        work(stop, arguments.threads)
        return 0

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("--threads", type=int, default=2, help="jobs done at the same time")
        parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")

    return Command("work", "do the jobs: suggest, generate, learn", run, arguments)


def migrate_command(migrate: Callable[[], None]) -> Command:
    """Return `migrate`, which brings the database to the newest schema."""

    def run(arguments: Namespace) -> int:
        migrate()
        say(arguments, "The database has the newest schema.", migrated=True)
        return 0

    return Command("migrate", "bring the database to the newest schema", run)


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            told = f"{host}:{port} cannot be listened on ({error.strerror}); choose another port with --port or PORT."
            raise Conflict(told) from error


@contextmanager
def _worker_process(absent: bool) -> Iterator[None]:
    """Keep a worker process running, starting it again where it dies, until the block is left."""
    if absent:
        yield
        return
    over = threading.Event()
    keeper = threading.Thread(target=_keep_working, args=(over,))
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep_working(over: threading.Event) -> None:
    while not over.is_set():
        worker = subprocess.Popen([sys.executable, "-m", "web", "work", "--parent", str(os.getpid())])
        while worker.poll() is None and not over.wait(0.2):
            pass
        if worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
        over.wait(RESTART_SECONDS)


def _stop_without(parent: int, stop: threading.Event) -> None:
    """A worker whose server was killed would otherwise go on for ever, beside the next server's."""
    while not stop.wait(1.0):
        if os.getppid() != parent:
            stop.set()
