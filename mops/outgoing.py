"""POST to an address that a company typed: never into a private network, never further than that address, never for long.

The name is looked up once, every answer is checked, and the connection goes to the very address that was checked: a name
that answers differently a moment later (rebinding) changes nothing. Redirects are answers, not ways. Proxies of the
environment are not asked. One clock runs over the whole exchange, so a receiver that drips byte by byte holds nobody.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import Error, register

TIMEOUT = 10.0
READ = 2048
"""Bytes of an answer that are looked at."""
LOW_PORT = 1024
GLOBAL_V6 = ipaddress.ip_network("2000::/3")
LEAD_ELSEWHERE = [
    ipaddress.ip_network(text)
    for text in ("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20", "192.88.99.0/24", "192.0.0.0/24")
]
"""Global by their number, yet they carry an IPv4 address inside or are for examples. All IPv4-in-IPv6 forms but Teredo and 6to4 lie
outside of 2000::/3."""


class Unreachable(Exception):
    """No answer came. `code`: address (may not be called), name, connect, tls, timeout, broken."""

    def __init__(self, code: str, detail: str = ""):
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Answer:
    """What the receiver said: the status, the beginning of its body, and how long it asks to be left alone."""

    status: int
    text: str
    retry_after: timedelta | None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def check(url: str) -> SplitResult:
    """The address in its parts, or Unreachable("address"): https, a host, no login in it, no number of a private network."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Unreachable("address", "url") from error
    if not host or parts.username is not None or not url.isascii() or re.search(r"[\s\\]", url):
        raise Unreachable("address", "url")
    if _is_test_host(host, port):
        return parts
    if parts.scheme != "https" or (port not in {None, 443} and port < LOW_PORT):
        raise Unreachable("address", "https")
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith((".localhost", ".local", ".internal")):
        raise Unreachable("address", "private")
    if _is_number(host) and not is_public(host):
        raise Unreachable("address", "private")
    return parts


def is_public(ip: str) -> bool:
    """May a company send us there? False for private, loopback, link-local, shared, multicast, mapped and translated ones."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if address.version == 6 and address not in GLOBAL_V6:
        return False
    if any(address.version == net.version and address in net for net in LEAD_ELSEWHERE):
        return False
    return address.is_global and not address.is_multicast


def post(
    url: str, body: bytes, headers: dict[str, str], *, timeout: float = TIMEOUT, limit: int = READ, trusted: bool = False
) -> Answer:  # fmt: skip
    """Send it and return the answer, whatever its status; Unreachable where there is none. `timeout`: seconds, all in all;
    `limit`: bytes of the answer to read; `trusted`: the address comes from the settings, so it may lead anywhere."""
    parts = urlsplit(url) if trusted else check(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = _Pinned(parts.hostname, port, _addresses(parts.hostname, port, trusted), timeout, secure)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _clock(connection, timeout):
        connection.request("POST", path, body=body, headers={**headers, "Connection": "close"})
        response = connection.getresponse()
        text = response.read(limit).decode("utf-8", "replace")
        return Answer(response.status, text, _retry_after(response.headers.get("Retry-After")))


def _addresses(host: str, port: int, trusted: bool) -> list[str]:
    """Every address of a host, all of them public: a name that also answers with a private one is not trusted at all."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("name", host) from error
    addresses = [row[4][0] for row in found]
    if not trusted and not _is_test_host(host, port) and not all(is_public(ip) for ip in addresses):
        raise Unreachable("address", "private")
    return addresses


class _Pinned(http.client.HTTPConnection):
    """Speaks to the addresses that were looked at; the name is only said in the Host header and in TLS."""

    def __init__(self, host: str, port: int, addresses: list[str], timeout: float, secure: bool):
        self.default_port = 443 if secure else 80
        super().__init__(host, port, timeout=timeout)
        self._pinned = addresses
        self._context = ssl.create_default_context() if secure else None

    def connect(self):
        self.sock = socket.create_connection((self._pinned[0], self.port), self.timeout)
        if self._context:
            # The handshake comes after the assignment, so that the clock can cut it too.
            self.sock = self._context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )  # fmt: skip
            self.sock.do_handshake()


@contextmanager
def _clock(connection: _Pinned, timeout: float) -> Iterator[None]:
    """Cut the connection when the time is over, and turn whatever happens into Unreachable."""
    over = threading.Event()

    def cut():
        over.set()
        if connection.sock is not None:
            try:
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    timer = threading.Timer(timeout, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if over.is_set():  # what was cut looks like an end
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(_code(error, over.is_set()), type(error).__name__) from error
    finally:
        timer.cancel()
        connection.close()


def _code(error: Exception, over: bool) -> str:
    if over or isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "connect" if isinstance(error, OSError) else "broken"


def _retry_after(text: str | None) -> timedelta | None:
    """Seconds or a date, as HTTP allows; None where it is neither, at most a day."""
    if not text:
        return None
    try:
        wait = (
            timedelta(seconds=int(text))
            if text.strip().isdecimal()
            else parsedate_to_datetime(text) - datetime.now(UTC)
        )
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), timedelta(days=1))


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_test_host(host: str, port: int | None) -> bool:
    return f"{host}:{port}" in settings.OUTGOING_TEST_HOSTS


@register()
def check_test_hosts(app_configs, **kwargs):
    """Receivers on the machine itself are for tests: a production that allows them does not start."""
    if settings.PRODUCTION and settings.OUTGOING_TEST_HOSTS:
        message = "OUTGOING_TEST_HOSTS lets webhooks reach this machine: it must be empty in production."
        return [Error(message, id="mops.E001")]
    return []
