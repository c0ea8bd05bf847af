"""The trace that the tests of silence rest on sees every way of speaking to another machine."""

from __future__ import annotations

import sys

import pytest

from tests.network_trace import NetworkTrace, foreign_addresses, traced

# Nobody answers at these; the packets go nowhere.
ADDRESS, ADDRESS_6 = "192.0.2.1", "2001:db8::1"
UDP = "import socket; s = socket.socket({family}, socket.SOCK_DGRAM)\n"
SPEAKERS = {
    "connect": (UDP.format(family="socket.AF_INET") + f"s.connect(('{ADDRESS}', 443))", f"{ADDRESS}:443"),
    "sendto": (UDP.format(family="socket.AF_INET") + f"s.sendto(b'x', ('{ADDRESS}', 53))", f"{ADDRESS}:53"),
    "sendmsg": (UDP.format(family="socket.AF_INET") + f"s.sendmsg([b'x'], [], 0, ('{ADDRESS}', 9))", f"{ADDRESS}:9"),
    "look-up": ("import socket; socket.getaddrinfo('askrepo.invalid', 443)", "look-up of askrepo.invalid"),
    "child": (
        (
            "import subprocess, sys; subprocess.run([sys.executable, '-c', "
            f"'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((\"{ADDRESS}\", 80))'])"
        ),
        f"{ADDRESS}:80",
    ),
}
LOOPBACK = "socket.create_server(('127.0.0.1', 0))"


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_whoever_speaks_to_another_machine_is_seen(speaker: str) -> None:
    code, seen = SPEAKERS[speaker]
    program = f"try:\n  exec({code!r})\nexcept OSError: pass"

    assert seen in traced([sys.executable, "-c", program], {}, 20)


def test_what_stays_on_this_machine_is_not_reported() -> None:
    program = "socket.create_connection(server.getsockname()); socket.getaddrinfo('localhost', 80)"

    with NetworkTrace([sys.executable, "-c", f"import socket; server = {LOOPBACK}; {program}"], env={}) as trace:
        assert trace.wait(20) == 0, trace.output()
        assert trace.foreign() == []
        assert trace.calls() > 0


def test_a_command_that_waits_is_ended_after_its_time() -> None:
    assert traced([sys.executable, "-c", "import sys; sys.stdin.read()"], {}, 1) == []


def test_a_command_that_fails_is_no_silent_one() -> None:
    with pytest.raises(AssertionError, match="exit code 3: told"):
        traced([sys.executable, "-c", "print('told'); raise SystemExit(3)"], {}, 20)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('12 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.9")}, 16) = 0', []),
        ('12 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0', []),
        ('connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0', []),
        (
            (
                f"9 connect(3, {{sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), "
                f'inet_pton(AF_INET6, "{ADDRESS_6}", &sin6_addr), sin6_scope_id=0}}, 28 <unfinished ...>'
            ),
            [f"[{ADDRESS_6}]:443"],
        ),
        (
            (
                "9 connect(3, {sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(0), "
                'inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr), sin6_scope_id=0}, 28) = 0'
            ),
            [],
        ),
        ("9 connect(3, {sa_family=AF_INET, sin_p", ["not understood: 9 connect(3, {sa_family=AF_INET, sin_p"]),
        (
            '9 sendmmsg(3, [{iov_base="\\33\\360\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1a\\4b-cd\\0\\0\\1",',
            ["look-up of a.b-cd"],
        ),
    ],
    ids=["loopback", "unspecified", "unix", "six", "mapped", "cut off", "names"],
)
def test_lines_are_read(line: str, found: list[str]) -> None:
    assert foreign_addresses([line]) == found
