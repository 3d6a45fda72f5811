"""The guarded fetcher against a real server of this machine, and against addresses that it must not ask."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ml_service.errors import InvalidRequest, TooLarge, Unavailable
from web.adapters.fetching import GuardedFetcher

BODY = b"\xff\xd8\xff a picture"
PUBLIC = "93.184.216.34"


class Host(BaseHTTPRequestHandler):
    """A host of harmless answers; it remembers by which name it was asked."""

    asked: list[str] = []  # noqa: RUF012 - one server, one list

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']} {self.path}")
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/picture")
            self.end_headers()
            return
        if self.path == "/slow":
            self._slowly()
            return
        status = {"/picture": 200, "/large": 200, "/broken": 500, "/busy": 429}.get(self.path, 404)
        body = BODY * (400 if self.path == "/large" else 1)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _slowly(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):  # a byte now and then: no single wait is long
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """Where the host answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://photos.example:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Where the host answers under TLS, with a certificate of its name, and a context that trusts it."""
    folder = tmp_path_factory.mktemp("identity")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=photos.example"
    files = ["-addext", "subjectAltName=DNS:photos.example", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(["openssl", *words.split(), *files], cwd=folder, check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server.socket = own.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f":{server.server_address[1]}/picture", ssl.create_default_context(cafile=folder / "certificate.pem")
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_must_be_of_the_name_though_its_address_is_asked(trusted: tuple[str, ssl.SSLContext]) -> None:
    rest, context = trusted
    fetcher = GuardedFetcher(lambda host, port: ["127.0.0.1"], local=True, tls=context)
    assert fetcher.fetch(f"https://photos.example{rest}") == BODY
    for strange in (fetcher, local()):
        name = "other.example" if strange is fetcher else "photos.example"
        with pytest.raises(Unavailable, match="cannot be reached"):
            strange.fetch(f"https://{name}{rest}")


def local(**more: float) -> GuardedFetcher:
    return GuardedFetcher(lambda host, port: ["127.0.0.1"], local=True, **more)  # type: ignore[arg-type]


def test_the_address_of_a_name_is_asked_under_the_name(place: str) -> None:
    Host.asked.clear()
    assert local().fetch(f"{place}/picture") == BODY
    assert Host.asked == [f"{place.removeprefix('http://')} /picture"]


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/elsewhere", InvalidRequest, "leads elsewhere"),
        ("/nothing", InvalidRequest, "answered 404"),
        ("/broken", Unavailable, "answered 500"),
        ("/busy", Unavailable, "answered 429"),
        ("/large", TooLarge, "more than"),
    ],
)
def test_what_is_no_picture_there_is_refused_in_words(place: str, path: str, error: type[Exception], said: str) -> None:
    Host.asked.clear()
    with pytest.raises(error, match=said):
        local(most_bytes=1000).fetch(f"{place}{path}")
    assert len(Host.asked) == 1


def test_a_host_that_sends_a_byte_now_and_then_is_given_up(place: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match="did not send it within"):
        local(seconds=0.4).fetch(f"{place}/slow")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "fec0::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "::7f00:1",
    ],
)
@pytest.mark.parametrize("beside", [(), (PUBLIC,)])
def test_a_host_in_a_network_that_is_not_public_is_not_asked(address: str, beside: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest, match="not public"):
        GuardedFetcher(lambda host, port: [*beside, address]).fetch("https://photos.example/a.jpg")


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind(place: str) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    fetcher = GuardedFetcher(lambda host, port: answers.pop(0), local=True)
    assert fetcher.fetch(f"{place}/picture") == BODY
    assert len(answers) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://photos.example/a.jpg",
        "file:///etc/passwd",
        "ftp://photos.example/a.jpg",
        "https://user:word@photos.example/a.jpg",
        "https://photos.example:22/a.jpg",
        "https:///a.jpg",
        "https://[::1/a.jpg",
        "https://photos.example:99999/a.jpg",
        "https://phötos.example/a.jpg",
        "gopher://photos.example",
        "",
    ],
)
def test_an_address_of_another_kind_is_refused_before_anything_is_asked(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("it was resolved")

    with pytest.raises(InvalidRequest):
        GuardedFetcher(resolve).fetch(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "localhost", "127.1"])
def test_other_spellings_of_this_machine_are_seen_through(host: str) -> None:
    with pytest.raises(InvalidRequest, match="not public"):
        GuardedFetcher().fetch(f"https://{host}/a.jpg")


def test_without_an_answer_of_the_name_server_it_may_work_later() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(Unavailable, match="not known"):
        GuardedFetcher(resolve).fetch("https://photos.example/a.jpg")


def test_a_name_server_that_says_nothing_is_given_up() -> None:
    over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        over.wait(20)
        return [PUBLIC]

    began = time.monotonic()
    with pytest.raises(Unavailable, match="not known"):
        GuardedFetcher(resolve, seconds=0.3).fetch("https://photos.example/a.jpg")
    assert time.monotonic() - began < 5
    over.set()


def test_each_address_of_a_host_is_tried_until_one_answers(place: str) -> None:
    Host.asked.clear()
    fetcher = GuardedFetcher(lambda host, port: ["127.0.0.2", "::1", "127.0.0.1"], local=True)
    assert fetcher.fetch(f"{place}/picture") == BODY
    assert len(Host.asked) == 1
    with pytest.raises(Unavailable, match="cannot be reached"):
        GuardedFetcher(lambda host, port: ["127.0.0.2", "127.0.0.3"], local=True).fetch(f"{place}/picture")


def test_an_address_that_hangs_leaves_time_for_the_next(place: str) -> None:
    fetcher = GuardedFetcher(lambda host, port: ["127.0.0.2", "127.0.0.1"], local=True, seconds=4)
    port = int(place.rpartition(":")[2])
    with socket.create_server(("127.0.0.2", port), backlog=0) as full, contextlib.ExitStack() as waiting:
        for _ in range(4):  # nobody accepts, so the next that ask are not answered
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        assert fetcher.fetch(f"{place}/picture") == BODY
