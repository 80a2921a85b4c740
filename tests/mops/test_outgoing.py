"""No address that a company types reaches a private network, whatever it is called and whatever it answers later."""

import socket
import time

import pytest
from django.core.checks import run_checks

from mops import outgoing

PRIVATE = (
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "192.88.99.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1",
    "2001:0:7f00:1::", "2001:db8::1", "3fff::1",
)  # fmt: skip


@pytest.mark.parametrize("ip", PRIVATE)
def test_private_mapped_and_translated_addresses_are_not_public(ip):
    assert not outgoing.is_public(ip)


@pytest.mark.parametrize("ip", ["8.8.8.8", "93.184.216.34", "2a00:1450:4010:c0f::65", "2606:4700:4700::1111"])
def test_addresses_of_the_internet_are_public(ip):
    assert outgoing.is_public(ip)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://printer.local/",
        "https://user:secret@example.com/",
        "https://example.com:22/",
        "https:///path",
        "ftp://example.com/",
        "https://exa mple.com/",
        "https://[::1",
        "https://example.com\\@127.0.0.1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_address_is_refused_before_anything_is_sent(url):
    with pytest.raises(outgoing.Unreachable, match="address"):
        outgoing.check(url)


@pytest.fixture
def canary():
    """Listens on the loopback and notes who comes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    yield listener
    listener.close()


def visited(listener) -> bool:
    try:
        listener.accept()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "017700000001", "canary.example"])
def test_canary_on_the_loopback_is_never_called(canary, monkeypatch, host):
    """Numbers in disguise and a name that points home: both are judged by what they resolve to."""
    port = canary.getsockname()[1]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, *args, **kw: real("127.0.0.1" if name == "canary.example" else name, *args, **kw),
    )

    with pytest.raises(outgoing.Unreachable, match="address"):
        outgoing.post(f"https://{host}:{port}/", b"{}", {})

    assert not visited(canary)


def test_name_that_also_answers_with_a_private_address_is_refused(canary, monkeypatch):
    port = canary.getsockname()[1]
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: rows)

    with pytest.raises(outgoing.Unreachable, match="address"):
        outgoing.post(f"https://two.example:{port}/", b"{}", {})


def test_rebinding_name_is_called_at_the_address_that_was_checked(canary, monkeypatch):
    """The first look-up is public, every later one leads home: only the first counts."""
    port, asked, called = canary.getsockname()[1], [], []

    def rebinding(name, *args, **kw):
        asked.append(name)
        ip = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    def connect(address, *args, **kw):
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(outgoing.Unreachable, match="connect"):
        outgoing.post(f"https://rebind.example:{port}/", b"{}", {})

    assert (asked, called) == (["rebind.example"], ["93.184.216.34"])


def test_redirect_is_an_answer_and_not_a_way(receive):
    goal = receive(allowed=False)
    sender = receive((302, {"Location": goal.url}))

    answer = outgoing.post(sender.url, b"{}", {})

    assert (answer.status, answer.ok, goal.got) == (302, False, [])


@pytest.mark.parametrize("step", ["hang", "drip"])
def test_slow_receiver_is_cut_when_the_time_is_over(receive, step):
    slow, begun = receive(step), time.monotonic()

    with pytest.raises(outgoing.Unreachable, match="timeout"):
        outgoing.post(slow.url, b"{}", {}, timeout=0.5)

    assert time.monotonic() - begun < 3


def test_proxy_of_the_environment_is_not_asked(receive, monkeypatch):
    proxy, goal = receive(), receive()
    monkeypatch.setenv("http_proxy", proxy.url)

    assert outgoing.post(goal.url, b"{}", {}).ok
    assert (len(goal.got), proxy.got) == (1, [])


@pytest.mark.parametrize(("text", "seconds"), [("7", 7), ("999999", 86400), ("soon", None), ("", None)])
def test_retry_after(receive, text, seconds):
    answer = outgoing.post(receive((503, {"Retry-After": text})).url, b"{}", {})

    assert (answer.retry_after and answer.retry_after.total_seconds()) == seconds


def test_production_refuses_test_hosts(settings):
    settings.PRODUCTION, settings.OUTGOING_TEST_HOSTS = True, frozenset({"127.0.0.1:80"})

    assert "mops.E001" in {problem.id for problem in run_checks()}
