"""Where the server listens, and who may reach it there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self

from askrepo.errors import UsageError

MAX_PORT = 65_535
MIN_TOKEN_CHARS = 16


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; port 0 is any that is free."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `HOST:PORT`, `[IPV6]:PORT` or `PORT`.

        :raises UsageError: it is none.
        """
        host, _, port = text.strip().rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        is_port = port.isascii() and port.isdigit() and len(port) < 6 and int(port) <= MAX_PORT
        if not is_port or any(each.isspace() or each in "/@[]" for each in host):
            raise UsageError(f"--http takes HOST:PORT, for example 127.0.0.1:8377, found {text[:60]!r}")
        return cls(host, int(port))

    @property
    def shown(self) -> str:
        """The host as a URL has it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def check_token(self, token: str | None) -> None:
        """Make sure that nobody else reads what is served.

        :raises UsageError: others reach the address and there is no token, or one that can be guessed.
        """
        if token is None and not self.is_loopback:
            raise UsageError(
                f"other machines can reach {self.shown}: set ASKREPO_MCP_TOKEN to a secret that clients send as "
                "`Authorization: Bearer …`, or serve at 127.0.0.1"
            )
        if token is not None and (len(token) < MIN_TOKEN_CHARS or not token.isascii()):
            raise UsageError(f"ASKREPO_MCP_TOKEN must have {MIN_TOKEN_CHARS} characters or more, all of ASCII")
