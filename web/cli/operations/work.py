"""`work`: a worker in a process of its own."""

import os
import signal
import threading
from argparse import ArgumentParser, Namespace
from types import FrameType

from web.cli.command import Desk


def arguments(parser: ArgumentParser) -> None:
    """Declare the arguments of `work`."""
    parser.add_argument("--threads", type=int, default=2, help="jobs done at the same time")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")


def run(arguments: Namespace, desk: Desk) -> int:
    """Do jobs until stopped."""
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    if arguments.parent is not None:
        threading.Thread(target=_stop_without, args=(arguments.parent, stop), daemon=True).start()
    desk.work(stop, arguments.threads)
    return 0


def _stop_without(parent: int, stop: threading.Event) -> None:
    """A worker whose server was killed would otherwise go on for ever, beside the next server's."""
    while not stop.wait(1.0):
        if os.getppid() != parent:
            stop.set()
