"""The bad network that journeys and benchmarks rely on is as bad as it says, and no worse."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.chaos import Chaos

ROUND_TRIP = 0.1


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening,), daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_say_back, args=(connection,), daemon=True).start()


def _say_back(connection: socket.socket) -> None:
    with connection:
        try:
            while heard := connection.recv(65536):
                connection.sendall(heard)
        except ConnectionError:
            return


def ask(connection: socket.socket, body: bytes) -> bytes:
    sending = threading.Thread(target=connection.sendall, args=(body,))
    sending.start()
    heard = b""
    while len(heard) < len(body):
        heard += connection.recv(65536)
    sending.join()
    return heard


def test_each_exchange_takes_a_round_trip_and_the_first_one_more(echo: int) -> None:
    with Chaos(echo, ROUND_TRIP) as network, socket.create_connection(("127.0.0.1", network.port)) as connection:
        times = [time.monotonic()]
        for _ in range(2):
            assert ask(connection, b"hello") == b"hello"
            times.append(time.monotonic())
    assert times[1] - times[0] >= 1.98 * ROUND_TRIP  # an event loop's clock may be a little early
    assert times[2] - times[1] >= ROUND_TRIP


def test_what_is_sent_arrives_whole_and_in_order(echo: int) -> None:
    body = bytes(number % 251 for number in range(3_000_000))
    with Chaos(echo, ROUND_TRIP) as network, socket.create_connection(("127.0.0.1", network.port)) as connection:
        assert ask(connection, body) == body


def test_a_cut_resets_what_is_open_and_down_resets_what_comes(echo: int) -> None:
    with Chaos(echo) as network:
        with socket.create_connection(("127.0.0.1", network.port)) as connection:
            assert ask(connection, b"hello") == b"hello"
            network.cut()
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        network.down = True
        with socket.create_connection(("127.0.0.1", network.port)) as refused, pytest.raises(ConnectionResetError):
            refused.recv(1)
        network.down = False
        with socket.create_connection(("127.0.0.1", network.port)) as connection:
            assert ask(connection, b"back") == b"back"


def test_a_mute_network_loses_answers_only(echo: int) -> None:
    with Chaos(echo) as network, socket.create_connection(("127.0.0.1", network.port)) as connection:
        network.mute = True
        connection.sendall(b"lost")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(4)
        network.mute = False
        assert ask(connection, b"heard") == b"heard"
