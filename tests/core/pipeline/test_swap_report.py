"""What a swap is announced with, and what its log says."""

from askrepo.pipeline.swap_report import report_lines, swap_report
from tests.datasets import build_alias


def test_a_swap_is_told_in_numbers(tmp_path):
    entry = build_alias(tmp_path, {"a.py": "x = 1\n", "b.py": "y = 2\n"}).entry

    event = swap_report(entry, swap_s=1.5)
    files, chunks, seconds = report_lines(event["report"])

    assert (event["alias"], event["number"], event["counts"]["files"]) == ("main", 1, 2)
    assert event["commits"] == {"project": entry.manifest.snapshots[0].commit}
    assert files == "files: 2 added, 0 changed, 0 moved, 0 removed, 0 unchanged"
    assert chunks.startswith("chunks: 2 embedded (")
    assert seconds.startswith("seconds: clone 0.0, load ")
    assert seconds.endswith(", swap 1.5")
