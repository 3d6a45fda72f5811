"""Take images from outside in: each is decoded and made anew by a process of its own, under limits."""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import weakref
from queue import Empty, LifoQueue
from typing import IO

from ml_service.errors import InvalidRequest, ServiceError, TooLarge, Unavailable
from web.adapters.images.worker import CLEAN, MEMORY_LIMIT, THUMBNAIL
from web.ports.making import CleanImage

BYTE_LIMIT = 30_000_000
AT_ONCE = 2
EFFORT_SECONDS = 15.0  # of a processor, for one image
ENDING_SECONDS = 1.0
LENIENCE = 4  # seconds that pass for each of them, on a machine that has more to do
ENDED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


class Cleaner:
    """Cleans images in worker processes, two at once; one that dies or hangs is replaced.

    An image that takes more than `effort` seconds of a processor, or that breaks its worker, is refused. A worker that
    is kept from its work or ended by others says nothing against the image, which may be tried again.
    """

    def __init__(self, effort: float = EFFORT_SECONDS, memory: int = MEMORY_LIMIT) -> None:
        self._effort, self._memory = effort, memory
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._idle: LifoQueue[subprocess.Popen[bytes]] = LifoQueue()
        self.close = weakref.finalize(self, _stop_all, self._idle)

    def clean(self, body: bytes) -> CleanImage:
        """Return the image re-encoded without metadata, or raise InvalidRequest or TooLarge with the reason.

        Unavailable where the machine has no time or memory for it now.
        """
        if not body:
            raise InvalidRequest("The file is empty; choose an image.")
        if len(body) > BYTE_LIMIT:
            raise TooLarge(f"The file has more than {BYTE_LIMIT // 1_000_000} MB; upload a smaller one.")
        head, made = self._ask(CLEAN, 0, body)
        return CleanImage(made, "image/jpeg", int(head["width"]), int(head["height"]))

    def thumbnail(self, body: bytes, side: int) -> bytes:
        """Return a clean image as JPEG, its longer side at most so many pixels."""
        return self._ask(THUMBNAIL, side, body)[1]

    def _ask(self, operation: bytes, side: int, body: bytes) -> tuple[dict[str, int], bytes]:
        with self._turns:
            worker = self._worker()
            head, made = self._exchange(worker, operation + struct.pack(">II", side, len(body)) + body)
        if refused := head.get("refused"):
            raise (TooLarge if head["too_large"] else InvalidRequest)(str(refused))
        return head, made

    def _worker(self) -> subprocess.Popen[bytes]:
        with contextlib.suppress(Empty):
            while True:
                worker = self._idle.get_nowait()
                if worker.poll() is None:
                    return worker
                _stop(worker)
        command = [sys.executable, "-m", "web.adapters.images.worker", str(self._memory), str(self._effort)]
        pipe = subprocess.PIPE
        alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each thread would take its own share of the memory
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=alone)

    def _exchange(self, worker: subprocess.Popen[bytes], request: bytes) -> tuple[dict[str, int], bytes]:
        watchdog = threading.Timer(LENIENCE * self._effort, worker.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            _pipe(worker.stdin).write(request)
            _pipe(worker.stdin).flush()
            head = json.loads(_frame(_pipe(worker.stdout)))
            made = _frame(_pipe(worker.stdout))
        except (BrokenPipeError, EOFError) as error:
            raise _fault(worker) from error
        finally:
            watchdog.cancel()
        self._idle.put(worker)
        return head, made


def _fault(worker: subprocess.Popen[bytes]) -> ServiceError:
    """Return why a worker that has ended, or is about to, gave no answer: by its image, or by what others did to it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(ENDING_SECONDS)
    _stop(worker)
    if -worker.returncode in ENDED_BY_OTHERS:
        return Unavailable("The machine is too busy to read images, or short of memory; try again in a moment.")
    return InvalidRequest("The image could not be read within the limits of time and memory; export it again, smaller.")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise BrokenPipeError
    return pipe


def _frame(pipe: IO[bytes]) -> bytes:
    length = pipe.read(4)
    if len(length) < 4:
        raise EOFError
    body = pipe.read(struct.unpack(">I", length)[0])
    if len(body) < struct.unpack(">I", length)[0]:
        raise EOFError
    return body


def _stop_all(idle: LifoQueue[subprocess.Popen[bytes]]) -> None:
    while not idle.empty():
        _stop(idle.get_nowait())


def _stop(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.communicate()
