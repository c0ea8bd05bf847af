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


@pytest.mark.parametrize(
    ("written", "keep"),
    [
        ("", None),
        (", keep: ", None),
        (", keep: []", ()),
        (', keep: [12, v1.2, "1.10", o/n@abcd]', ("12", "v1.2", "1.10", "o/n@abcd")),
    ],
)
def test_what_is_kept_is_written_beside_the_rest(tmp_path, written, keep):
    file = tmp_path / "aliases.yaml"
    file.write_text(f"aliases:\n  one: {{repositories: [https://h.org/a/b]{written}}}\n")

    [one] = read_aliases(file, is_schedule=bool)

    assert one.keep == keep


def test_a_keep_that_yaml_takes_for_something_else_is_told_with_its_alias(tmp_path):
    file = tmp_path / "aliases.yaml"
    file.write_text("aliases:\n  one: {repositories: [https://h.org/a/b], keep: [1.10]}\n")

    with pytest.raises(
        UsageError, match=r"aliases\.yaml: alias 'one': keep has an item of type float: write it in quo"
    ):
        read_aliases(file, is_schedule=bool)
