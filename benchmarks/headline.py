"""The few figures of docs/results.md, taken from the tables of the lab notebook: `python -m benchmarks.headline`."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.report import BEGIN, END, PARTS, with_section
from benchmarks.systems import DEFAULT, NO_VECTORS, ORIGIN

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "docs" / "lab-notebook.md"
PAGE = ROOT / "docs" / "results.md"
SHOWN = (ORIGIN, "BM25", NO_VECTORS, DEFAULT)
DEVELOPMENT = PARTS["development"]


def write_headline(notebook: Path = NOTEBOOK, page: Path = PAGE) -> None:
    """Put the first table of each part of the notebook, less some rows, between the marks of the page of results."""
    page.write_text(with_headline(page.read_text(encoding="utf-8"), notebook.read_text(encoding="utf-8")), "utf-8")


def with_headline(page: str, notebook: str) -> str:
    """The page of results with the figures that the notebook has."""
    written = notebook.partition(BEGIN)[2].partition(END)[0]
    sections = re.split(r"^### ", written, flags=re.MULTILINE)[1:]
    shown = [_shown(section) for section in sections if DEVELOPMENT not in section.partition("\n")[0]]
    return with_section(page, "\n\n".join([BEGIN, *shown, END]))


def _shown(section: str) -> str:
    title, *lines = section.splitlines()
    table = [line for line in lines if line.startswith("|")]
    rows = [line for line in table[2:] if line.split("|")[1].strip(" *") in SHOWN]
    return "\n".join([f"**{title}**", "", *table[:2], *rows])


if __name__ == "__main__":
    write_headline()
