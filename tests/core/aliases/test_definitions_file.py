"""aliases.yaml as the core reads it; its mistakes are told in tests/dags/test_dags.py."""

import pytest

from askrepo.aliases.definitions_file import read_aliases
from askrepo.errors import UsageError

CONTENT = """
aliases:
  two: {repositories: [https://h.org/a/b], watch: 5m, schedule: weekly}
  one: {repositories: [https://h.org/a/b@v1], include: ["*.md"], embedder: hash}
"""


def test_every_alias_has_a_definition_and_when_it_is_built(tmp_path):
    file = tmp_path / "aliases.yaml"
    file.write_text(CONTENT)

    one, two = read_aliases(file, is_schedule=lambda text: text == "weekly")

    assert (one.definition.alias, one.definition.include, one.definition.embedder) == ("one", ("*.md",), "hash")
    assert (one.schedule, one.watch_s, one.description) == (None, None, "Keep the alias one up to date")
    assert (two.schedule, two.watch_s) == ("weekly", 300.0)


def test_a_schedule_that_cannot_be_followed_is_named(tmp_path):
    file = tmp_path / "aliases.yaml"
    file.write_text(CONTENT)

    with pytest.raises(UsageError, match="alias 'two': schedule 'weekly' is not a cron expression"):
        read_aliases(file, is_schedule=lambda text: False)
