"""Which endpoints and models answer in a form, remembered so that each is asked only once."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askrepo.types import digest_of

KEPT_S = 30 * 24 * 3600.0
"""For so long an endpoint that took no form is believed; servers are renewed."""

MAX_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class FormMemory:
    """A file of the cache; without it, or when it cannot be read or written, everything is found out again."""

    file: Path

    def takes_form(self, place: str, model: str) -> bool | None:
        """Whether the model at a place answers in a form; None when that is not known."""
        known = self._read().get(_key(place, model))
        if not isinstance(known, dict) or not isinstance(known.get("takes_form"), bool):
            return None
        found_at = known.get("found_at")
        is_old = not isinstance(found_at, int | float) or not 0 <= time.time() - found_at < KEPT_S
        return None if is_old and not known["takes_form"] else known["takes_form"]

    def remember(self, place: str, model: str, *, takes_form: bool) -> None:
        """Keep what was found out."""
        if self.takes_form(place, model) == takes_form:
            return
        known = self._read()
        known.pop(_key(place, model), None)
        kept = dict(list(known.items())[-MAX_REMEMBERED + 1 :])
        kept[_key(place, model)] = {"takes_form": takes_form, "found_at": time.time()}
        temporary = self.file.with_name(f"{self.file.name}#{secrets.randbelow(10**15)}")
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(kept), encoding="utf-8")
            temporary.replace(self.file)

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def _key(place: str, model: str) -> str:
    """A digest, so that the file names no host."""
    return digest_of([place, model])[:32]
