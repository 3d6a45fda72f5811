"""`work`: a worker in a process of its own."""

import os
import signal
import sys
import threading
from argparse import ArgumentParser, Namespace
from types import FrameType

from web.cli.command import Desk, whole
from web.cli.leaving import leave


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `work`."""
    parser.add_argument("--threads", type=whole(1), default=2, help="jobs done at the same time")
    parser.add_argument(
        "--attached", action="store_true", help="stop when standard input ends, as it does with a parent"
    )


def run(arguments: Namespace, desk: Desk) -> int:
    """Do jobs until stopped."""
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    if arguments.attached:
        threading.Thread(target=_stop_with_input, args=(stop,), daemon=True).start()
    if not desk.work(stop, arguments.threads):
        leave()
    return 0


def _stop_with_input(stop: threading.Event) -> None:
    """A worker whose server was killed would otherwise go on for ever, beside the next server's."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()
