"""Debian's nginx as a private process, with the configuration that the docs show."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.journeys.server import ROOT, free_port, until

NAME = "palate.test"
RESOLVED = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
PLAIN = """server {
    listen 80;
    server_name example.org;
    location / { proxy_pass http://127.0.0.1:8000; }
}"""
AROUND = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {server}
}}
"""


def documented() -> list[str]:
    """Return the configurations of docs/proxies.md: of a host of its own, and below a path."""
    return re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "proxies.md").read_text(), flags=re.DOTALL)


class Proxy:
    """A configuration at a free port of this machine, before a server that listens, or will listen, at a port."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder, self.server, self.port = folder, server, free_port()
        self.url = f"http://{NAME}:{self.port}"

    @contextmanager
    def before(self, port: int) -> Iterator[None]:
        """Run it until the block is left."""
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            raise RuntimeError("This needs nginx: install it (apt-get install nginx-light), or run `make setup-dev`.")
        self.folder.mkdir()
        config = self.folder / "nginx.conf"
        config.write_text(AROUND.format(folder=self.folder, server=self._placed(port)))
        running = subprocess.Popen([program, "-p", self.folder, "-c", config, "-e", self.folder / "error.log"])
        try:
            until("an answer of nginx", lambda: self._answers(running))
            yield
        finally:
            running.terminate()
            running.wait()

    def _placed(self, port: int) -> str:
        """Return the configuration at the ports of this test; each that the docs write is there once."""
        text = self.server
        for pattern, place in (
            (r"listen 80;", f"listen 127.0.0.1:{self.port};"),
            (r"server_name \S+;", f"server_name {NAME};"),
            (r"127\.0\.0\.1:8000", f"127.0.0.1:{port}"),
        ):
            text, found = re.subn(pattern, place, text)
            assert found == 1, pattern
        return text

    def _answers(self, running: "subprocess.Popen[bytes]") -> bool:
        assert running.poll() is None, (self.folder / "error.log").read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/").status_code > 0
        except httpx.TransportError:
            return False
