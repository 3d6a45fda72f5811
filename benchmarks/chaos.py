"""A bad network on loopback: a TCP proxy that adds round trip, loses answers, cuts connections or is not there."""

import asyncio
import socket
import struct
import threading
from types import TracebackType
from typing import Self

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)  # linger for zero seconds: closing sends RST instead of FIN
Due = tuple[float, bytes]


class Chaos:
    """Stands between a browser and a server; what its attributes say holds from the next chunk on.

    `round_trip` is in seconds, half of it each way; a new connection takes one more, as TCP's handshake does. Chunks
    travel side by side, so latency does not cost bandwidth. `down` refuses whoever connects, `mute` loses what the
    server says.
    """

    def __init__(self, target: int, round_trip: float = 0.0) -> None:
        self.target, self.round_trip = target, round_trip
        self.down = self.mute = False
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos")
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection there is."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _close(self) -> None:
        self.down = True  # for whoever is accepted and not passing yet
        self._loop.remove_reader(self._server.sockets[0].fileno())  # who is accepted while a server closes is lost open
        await self._cut()
        for task in self._passing:
            task.cancel()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)
        self._server.close()

    async def _cut(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            await self._connect(reader, writer)
        except* (OSError, asyncio.CancelledError):
            _reset(writer)
        self._passing.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            _reset(writer)
            return
        there, onward = await asyncio.open_connection("127.0.0.1", self.target)
        ends = {writer, onward}
        self._open |= ends
        try:
            async with asyncio.TaskGroup() as group:
                for source, sink in ((reader, onward), (there, writer)):
                    line: asyncio.Queue[Due] = asyncio.Queue()
                    group.create_task(self._collect(source, line, answers=source is there))
                    group.create_task(self._deliver(line, sink))
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _collect(self, source: asyncio.StreamReader, line: asyncio.Queue[Due], *, answers: bool) -> None:
        connected = self._loop.time() + (0 if answers else self.round_trip)
        chunk = b"?"
        while chunk:
            chunk = await source.read(CHUNK)
            if not (answers and self.mute and chunk):
                line.put_nowait((max(self._loop.time(), connected) + self.round_trip / 2, chunk))

    async def _deliver(self, line: asyncio.Queue[Due], sink: asyncio.StreamWriter) -> None:
        while True:
            due, chunk = await line.get()
            await asyncio.sleep(due - self._loop.time())
            if not chunk:
                sink.write_eof()
                return
            sink.write(chunk)
            await sink.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    end: socket.socket = writer.get_extra_info("socket")
    if end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
