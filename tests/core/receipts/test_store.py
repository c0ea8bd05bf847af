from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from askrepo.errors import StorageError, UsageError
from askrepo.receipts import store as module
from askrepo.receipts.store import ReceiptStore
from tests.core.receipts.made import made


@pytest.fixture
def store(tmp_path: Path) -> ReceiptStore:
    return ReceiptStore(tmp_path / "state" / "answers.db")


def test_a_receipt_comes_back_as_it_was_kept(store: ReceiptStore) -> None:
    receipt = made()
    store.keep(receipt)
    assert store.find(receipt.id) == receipt
    assert store.find(receipt.id[:6].upper()) == receipt


def test_the_file_is_private_from_its_first_byte(store: ReceiptStore) -> None:
    before = os.umask(0)
    try:
        store.keep(made())
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in [store.file.parent, *store.file.parent.iterdir()]}
    assert modes.pop("state") == 0o700
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_may_read_becomes_private(store: ReceiptStore) -> None:
    store.keep(made())
    store.file.chmod(0o644)
    store.keep(made())
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600


def test_reading_makes_no_file(store: ReceiptStore) -> None:
    assert store.latest() == []
    assert store.usage() == []
    assert not store.file.parent.exists()


def test_receipts_are_found_by_words_and_alias_newest_first(store: ReceiptStore) -> None:
    first, second = made(question="How are RETRIES done?"), made(answer="By retries_100% [1].")
    for receipt in (first, made(), second):
        store.keep(receipt)
    assert store.latest(text="retries") == [second, first]
    assert store.latest(text="retries_100%") == [second]
    assert store.latest(1) == [second]
    assert store.latest(alias="mai") == []
    assert len(store.latest(alias="main")) == 3


def test_a_conversation_is_named_by_its_id_or_by_that_of_an_answer(store: ReceiptStore) -> None:
    first, other, second = made(conversation="aaaa11112222"), made(), made(conversation="aaaa11112222")
    for receipt in (first, other, second):
        store.keep(receipt)
    assert store.conversation("aaaa1") == store.conversation(first.id) == [first, second]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("ffff00000000", "no answer 'ffff00000000'"),
        ("abc", "4 characters are enough"),
        ("%%%%", "cannot be an id"),
        ("1234", "the start of several ids: 123400000001, 123400000002"),
    ],
)
def test_an_id_that_names_no_answer_is_told_in_one_line(store: ReceiptStore, start: str, said: str) -> None:
    for name in ("123400000001", "123400000002"):
        store.keep(made(id=name))
    with pytest.raises(UsageError, match=said):
        store.find(start)


def test_tokens_are_summed_by_day_and_model(store: ReceiptStore) -> None:
    for values in (
        {},
        {"tokens_in": 50},
        {"model": "other", "tokens_in": None},
        {"asked_at": "2026-11-29T00:00:01+00:00"},
    ):
        store.keep(made(**values))
    found = [(use.day, use.model, use.answers, use.tokens_in, use.tokens_out, use.uncounted) for use in store.usage()]
    assert found == [
        ("2026-11-29", "fake-model", 1, 100, 10, 0),
        ("2026-11-28", "fake-model", 2, 150, 20, 0),
        ("2026-11-28", "other", 1, 0, 10, 1),
    ]


def _keep_many(file: Path) -> None:
    for _ in range(20):
        ReceiptStore(file).keep(made())


def test_several_commands_write_at_once(store: ReceiptStore) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_keep_many, args=(store.file,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(store.latest()) == 60


def test_a_locked_file_is_waited_for_and_told(store: ReceiptStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep(made())
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    holder = sqlite3.connect(store.file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="another program holds it"):
        store.keep(made())
    holder.close()


def test_a_file_that_may_not_be_written_is_told(store: ReceiptStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep(made())
    read_only = lambda _: sqlite3.connect(f"{store.file.as_uri()}?mode=ro", uri=True)  # noqa: E731 - root may write all
    monkeypatch.setattr(ReceiptStore, "_connected", read_only)
    with pytest.raises(StorageError, match=r"may not be written .* set ASKREPO_ANSWERS to another path"):
        store.keep(made())


def test_a_file_of_a_newer_version_is_left_alone(store: ReceiptStore) -> None:
    store.keep(made())
    connection = sqlite3.connect(store.file)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    before = store.file.read_bytes()
    for use in (lambda: store.keep(made()), store.latest):
        with pytest.raises(StorageError, match=r"newer askrepo \(version 9 .* set ASKREPO_ANSWERS to another path"):
            use()
    assert store.file.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 40, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_damaged_file_is_told_with_what_to_do(store: ReceiptStore, content: bytes) -> None:
    store.file.parent.mkdir()
    store.file.write_bytes(content)
    for use in (lambda: store.keep(made()), store.latest):
        with pytest.raises(StorageError, match="move it away"):
            use()
    assert store.file.read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        "'{\"id\": 1}'",
        "json_set(body, '$.messages', json('[{\"role\": \"user\"}]'))",
        "json_set(body, '$.messages', 7)",
    ],
    ids=["nothing of it", "a message without content", "no messages"],
)
def test_a_receipt_that_makes_no_sense_is_told(store: ReceiptStore, change: str) -> None:
    receipt = made()
    store.keep(receipt)
    with sqlite3.connect(store.file) as connection:
        connection.execute(f"UPDATE receipts SET body = {change}")
    connection.close()
    with pytest.raises(StorageError, match=f"answer {receipt.id} .* is damaged"):
        store.latest()


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="ASKREPO_ANSWERS"):
        ReceiptStore(tmp_path / "file" / "answers.db").keep(made())
    with pytest.raises(StorageError, match="ASKREPO_ANSWERS"):
        ReceiptStore(tmp_path).keep(made())


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_told_and_left_as_it_was(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "answers.db"
    if kind == "folder":
        place.mkdir(mode=0o755)
    elif kind == "pipe":
        os.mkfifo(place, 0o666)
    else:
        place = Path("/dev/null")
    before = place.stat().st_mode
    for use in (lambda: ReceiptStore(place).keep(made()), ReceiptStore(place).latest):
        with pytest.raises(StorageError, match="is no file that answers could be kept in: set ASKREPO_ANSWERS"):
            use()
    assert place.stat().st_mode == before


@pytest.mark.parametrize("version", [0, 1])
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, version: int) -> None:
    file = tmp_path / "people.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE people (name)")
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    file.chmod(0o644)
    before = file.read_bytes()
    for use in (lambda: ReceiptStore(file).keep(made()), ReceiptStore(file).latest):
        with pytest.raises(StorageError, match="is a database of another program"):
            use()
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (before, 0o644)


def test_a_file_that_others_may_read_is_made_private(store: ReceiptStore) -> None:
    store.keep(made())
    store.file.chmod(0o644)
    store.keep(made())
    assert {each.stat().st_mode & 0o777 for each in store.file.parent.iterdir()} == {0o600}
