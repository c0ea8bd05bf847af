"""The receipts of a user: one private SQLite file that several commands may write at once."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askrepo.errors import StorageError, UsageError
from askrepo.receipts.receipt import Receipt
from askrepo.types import to_json

VERSION = 1
"""Of the file's tables; a file of a later one is left alone."""

MIN_ID_CHARS = 4
WAIT_S = 2.0
"""For a command that writes at the same time. The answer is on the screen then; a person waits for the prompt."""

_TABLES = """
CREATE TABLE IF NOT EXISTS receipts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, conversation TEXT NOT NULL, asked_at TEXT NOT NULL,
    question TEXT NOT NULL, answer TEXT NOT NULL, aliases TEXT NOT NULL, model TEXT NOT NULL, tokens_in INTEGER,
    tokens_out INTEGER, seconds REAL NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS receipts_of_conversation ON receipts (conversation, number);
"""
_ANOTHER = "set ASKREPO_ANSWERS to another path, or to off"


@dataclass(frozen=True, slots=True)
class Use:
    """What the answers of one model on one day took.

    :ivar day: UTC. :ivar tokens_in: sent; tokens_out: received; uncounted: answers whose tokens nobody counted.
    """

    day: str
    model: str
    answers: int
    tokens_in: int
    tokens_out: int
    uncounted: int
    seconds: float


class ReceiptStore:
    """Receipts in a file, which is made when the first is kept."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def keep(self, receipt: Receipt) -> None:
        """Write a receipt.

        :raises StorageError: the file is locked, read-only, damaged or of a newer version; the message says what to do.
        """
        columns = {
            "id": receipt.id,
            "conversation": receipt.conversation,
            "asked_at": receipt.asked_at,
            "question": receipt.question,
            "answer": receipt.answer,
            "aliases": ",".join(receipt.aliases),
            "model": receipt.model or "",
            "tokens_in": receipt.tokens_in,
            "tokens_out": receipt.tokens_out,
            "seconds": receipt.seconds,
            "body": json.dumps(to_json(receipt)),
        }
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self._errors("write"), closing(self._made()) as connection, connection:
            connection.execute(f"INSERT INTO receipts ({names}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608

    def latest(self, limit: int | None = None, *, text: str = "", alias: str | None = None) -> list[Receipt]:
        """Receipts, newest first.

        :param limit: None for all. :param text: what question or answer holds, in any capitals.
        """
        return self._select(
            "WHERE (instr(lower(question), lower(?)) OR instr(lower(answer), lower(?))) "
            "AND (? = '' OR instr(',' || aliases || ',', ',' || ? || ',')) ORDER BY number DESC LIMIT ?",
            (text, text, alias or "", alias or "", -1 if limit is None else limit),
        )

    def conversation(self, conversation: str) -> list[Receipt]:
        """The answers of a conversation, oldest first.

        :param conversation: its id, the start of it, or that of one of its answers.
        :raises UsageError: there is none such, or several.
        """
        try:
            return self._select("WHERE conversation = ? ORDER BY number", (self.find(conversation).conversation,))
        except UsageError:
            return self._select("WHERE conversation = ? ORDER BY number", (self._whole("conversation", conversation),))

    def find(self, id: str) -> Receipt:  # noqa: A002 - what a person calls it
        """The receipt of an id, or of the start of one.

        :raises UsageError: there is none such, or several.
        """
        (receipt,) = self._select("WHERE id = ?", (self._whole("id", id),))
        return receipt

    def usage(self) -> list[Use]:
        """What was used, newest day first, models by name."""
        rows = self._rows(
            "SELECT substr(asked_at, 1, 10) AS day, model, count(*), total(tokens_in), total(tokens_out), "
            "sum(tokens_in IS NULL OR tokens_out IS NULL), total(seconds) "
            "FROM receipts WHERE model != '' GROUP BY day, model ORDER BY day DESC, model",
            (),
        )
        return [Use(day, model, answers, int(sent), int(got), bare, spent)
                for day, model, answers, sent, got, bare, spent in rows]  # fmt: skip

    def _whole(self, column: str, start: str) -> str:
        """The only value of a column that begins so."""
        what = "answer" if column == "id" else "conversation"
        if len(start) < MIN_ID_CHARS or not start.isascii() or not start.isalnum():
            raise UsageError(
                f"{start[:40]!r} cannot be an id: `askrepo log` lists them; {MIN_ID_CHARS} characters are enough"
            )
        rows = self._rows(
            f"SELECT DISTINCT {column} FROM receipts WHERE substr({column}, 1, ?) = ? LIMIT 6",  # noqa: S608
            (len(start), start.lower()),
        )
        found = [str(value) for (value,) in rows]
        if len(found) > 1:
            raise UsageError(f"{start!r} is the start of several ids: {', '.join(found)}; write more of it")
        if not found:
            raise UsageError(f"no {what} {start[:40]!r} in {self.file}: `askrepo log` lists those there are")
        return found[0]

    def _select(self, rest: str, values: Sequence[object]) -> list[Receipt]:
        rows = self._rows(f"SELECT id, body FROM receipts {rest}", values)  # noqa: S608
        return [self._read(str(found), str(body)) for found, body in rows]

    def _read(self, found: str, body: str) -> Receipt:
        try:
            receipt = Receipt.from_mapping(json.loads(body))
            _check_messages(receipt)
            return receipt
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StorageError(
                f"answer {found} in {self.file} is damaged ({type(error).__name__}); move the file away, or {_ANOTHER}"
            ) from error

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._errors("read"):
            if not self._is_there():
                return []
            with closing(self._connected()) as connection:
                return connection.execute(query, tuple(values)).fetchall() if _version(connection) else []

    def _made(self) -> sqlite3.Connection:
        """The file with its tables, private from its first byte."""
        if not self.file.parent.exists():
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._is_there():
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = self._connected()
        if self.file.stat().st_mode & 0o077:
            connection.close()  # which removes files beside it that others could read
            self.file.chmod(0o600)
            connection = self._connected()
        if _version(connection) < VERSION:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        return connection

    def _is_there(self) -> bool:
        """Whether there is such a file.

        :raises StorageError: what is there is none, such as /dev/null.
        """
        if self.file.exists() and not self.file.is_file():
            raise StorageError(f"{self.file} is no file that answers could be kept in: {_ANOTHER}")
        return self.file.exists()

    def _connected(self) -> sqlite3.Connection:
        """The file, open; nothing of it is changed.

        :raises StorageError: it is of a newer version, or another program's.
        """
        connection = sqlite3.connect(f"{self.file.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT_S)
        try:
            found = _version(connection)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.Error:
            connection.close()
            raise
        if found > VERSION:
            connection.close()
            raise StorageError(
                f"{self.file} was written by a newer askrepo (version {found} of its tables, {VERSION} is known here): "
                f"use that one, or {_ANOTHER}"
            )
        if (found and "receipts" not in tables) or (tables and not found):
            connection.close()
            raise StorageError(f"{self.file} is a database of another program, which is left alone: {_ANOTHER}")
        return connection

    @contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        """Turn what SQLite and the system say into one line that says what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"cannot {action} {self.file}: {_problem(error)}") from error
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"cannot {action} {self.file}: {reason}; {_ANOTHER}") from error


def _check_messages(receipt: Receipt) -> None:
    """:raises TypeError, KeyError: what was sent is no list of messages."""
    for message in receipt.messages:
        if not (isinstance(message["role"], str) and isinstance(message["content"], str)):
            raise TypeError


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _problem(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"another program holds it for longer than {WAIT_S:g} s; end that, or {_ANOTHER}"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"it may not be written ({error}); give this user the right to it, or {_ANOTHER}"
    if name.startswith("SQLITE_FULL"):
        return f"the disk is full; make room, or {_ANOTHER}"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"it is damaged ({error}); move it away, and a new one is made, or {_ANOTHER}"
    return f"{error}; move it away, or {_ANOTHER}"
