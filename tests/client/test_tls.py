"""The key travels only to whom a certificate proves to be Palate."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseServer, StreamRequestHandler, TCPServer, ThreadingTCPServer
from threading import Thread

import pytest

from client.palate_client import PalateClient, PalateError
from tests.client.palate import KEY, Palate, speaking

CERTIFICATE, PRIVATE = "certificate.pem", "private.pem"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for localhost and its key."""
    folder = tmp_path_factory.mktemp("identity")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", PRIVATE, "-out", CERTIFICATE]
    subprocess.run(["openssl", *words.split(), *files], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(identity: Path) -> Iterator[Palate]:
    def wrap(server: BaseServer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity / CERTIFICATE, identity / PRIVATE)
        assert isinstance(server, TCPServer)
        server.socket = context.wrap_socket(server.socket, server_side=True)

    with speaking(wrap) as palate:
        yield palate


def test_a_certificate_that_nobody_vouches_for_is_refused_before_the_key_is_sent(secure: Palate) -> None:
    client = PalateClient(f"https://localhost:{secure.port}", KEY)
    with pytest.raises(PalateError, match="certificate verify failed"):
        _ = client.version
    assert secure.asked == []


def test_a_certificate_of_another_name_is_refused(
    secure: Palate, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(identity / CERTIFICATE))
    with pytest.raises(PalateError, match="certificate"):
        _ = PalateClient(f"https://127.0.0.1:{secure.port}", KEY).version
    assert secure.asked == []


def test_an_authority_of_ones_own_is_named_by_the_environment(
    secure: Palate, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(identity / CERTIFICATE))
    assert PalateClient(f"https://localhost:{secure.port}", KEY).version.name == "v1.0.0"


def test_a_proxy_of_the_environment_is_used_and_does_not_see_the_key(
    secure: Palate, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(identity / CERTIFICATE))
    with _proxy(to=secure.port) as (port, seen):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert PalateClient("https://localhost", KEY).version.name == "v1.0.0"
    assert seen[0].startswith(b"CONNECT localhost:443 HTTP/1")
    assert KEY.encode() not in b"".join(seen)
    assert [asked.host for asked in secure.asked] == ["localhost"]


@contextmanager
def _proxy(to: int) -> Iterator[tuple[int, list[bytes]]]:
    """Run a proxy that takes every tunnel to one port, and notes what it is told by who comes."""
    seen: list[bytes] = []

    class Tunnel(StreamRequestHandler):
        def handle(self) -> None:
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                seen.append(line)
            with socket.create_connection(("127.0.0.1", to)) as far:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                back = Thread(target=_pour, args=(far, self.connection, []))
                back.start()
                _pour(self.connection, far, seen)
                back.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1], seen
        server.shutdown()
        thread.join()


def _pour(source: socket.socket, target: socket.socket, seen: list[bytes]) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            seen.append(piece)
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
