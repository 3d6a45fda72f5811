"""Settings of the address: where people reach Palate, and which proxies in front of it are believed."""

import re
from functools import cached_property
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
ANY = "*"
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\]|\*")


class AddressSettings(BaseSettings):
    """The address that links begin with, the hosts that are Palate's, and the proxies that are believed."""

    public_url: str | None = Field(
        None,
        description="Where people reach Palate, like `https://palate.example.org`, or `https://example.org/palate` "
        "below a path: links begin with it, and other hosts are refused; without it, a link names the host that its "
        "request named.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts that Palate answers to beside PUBLIC_URL's and this machine's own names, separated by "
        "commas, like `palate.internal` or `*.example.org`; `*` lets all in, as does leaving both unset.",
    )
    forwarded_allow_ips: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="The addresses or networks of proxies whose X-Forwarded-For, -Proto and -Host are believed, "
        "separated by commas; without it, those on this machine; `*` believes everybody.",
    )

    @field_validator("public_url")
    @classmethod
    def _whole_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        wrong = "It must be an address like https://palate.example.org or https://example.org/palate."
        try:
            parts = urlsplit(value.rstrip("/"))
            port = f":{parts.port}" if parts.port is not None else ""
        except ValueError:
            raise ValueError(wrong) from None
        extra = parts.query or parts.fragment or "@" in parts.netloc
        if parts.scheme not in ("http", "https") or not parts.hostname or extra or not _PATH.fullmatch(parts.path):
            raise ValueError(wrong)
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(port)}{_told(parts.scheme, port)}{parts.path}"

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.lower() for name in _parts(value))
        if not all(_HOST.fullmatch(name) for name in names):
            raise ValueError("It must be names of hosts without a port, separated by commas, like palate.internal.")
        return names

    @field_validator("forwarded_allow_ips", mode="before")
    @classmethod
    def _networks(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        names = _parts(value)
        try:
            return (ANY,) if ANY in names else tuple(str(_network(name)) for name in names)
        except ValueError:
            raise ValueError("It must be addresses or networks, separated by commas, like 10.0.0.0/8.") from None

    @cached_property
    def base(self) -> str:
        """The path that Palate is below, like “/palate”; empty where it has its host for itself."""
        return urlsplit(self.public_url or "").path

    @cached_property
    def origin(self) -> str | None:
        """Scheme, host and port of PUBLIC_URL, as browsers write an origin."""
        return self.public_url.removesuffix(self.base) if self.public_url else None

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that Palate answers to, without ports; (“*”,) where it answers to all."""
        if self.public_url is None and not self.allowed_hosts:
            return (ANY,)
        public = urlsplit(self.public_url or "").netloc
        return (*THIS_MACHINE, *self.allowed_hosts, *((without_port(public),) if public else ()))


def without_port(host: str) -> str:
    """Return a host without its port; IPv6 addresses stand in brackets."""
    return re.sub(r":\d*$", "", host)


def _told(scheme: str, port: str) -> str:
    """Return the port as browsers tell it: not at all where it is the usual one."""
    return "" if (scheme, port) in (("http", ":80"), ("https", ":443")) else port


def _parts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _network(name: str) -> object:
    network = ip_network(name, strict=False)
    return network if "/" in name else network.network_address
