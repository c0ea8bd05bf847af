"""Ten questions about a repository to a real small chat model, from one search and with tools: how much holds.

    make test-chat [ALIAS=name]        (python -m benchmarks.chat_trial [--alias NAME] [--questions 10] [--url URL]
                                        [--way one-shot|tools] [--answers FILE])

Without an alias it asks about this checkout, built with the embedder `hash` in a workspace of its own. Prints for each
answer as it comes, and in all: verified : repaired : unverified : uncited statements, tokens sent and received, and
seconds. The answers themselves are kept in FILE, as `askrepo log` reads them. Exit code 1 when a question got no
answer, or fewer statements hold than is wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from askrepo.receipts.store import ReceiptStore
from askrepo.settings import Settings
from askrepo.text.counting import counted
from askrepo.types import Definition
from askrepo.workspace.objects import Workspace
from benchmarks.chat_model import NAME, chat_model
from benchmarks.in_process import run_until_embedded

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "What does the swap of an alias do?",
    "How is a dataset removed by maintenance?",
    "Which exit codes does the command have?",
    "How are citations in an answer resolved?",
    "What is a chunk's scope?",
    "How does clone_repository limit the size of a repository?",
    "How long may a chat endpoint stay silent?",
    "How are results of vectors and BM25 fused?",
    "What does ASKREPO_RETENTION do?",
    "How is the API key kept out of error messages?",
)
WAYS = {"one-shot": ("--no-read",), "tools": ("--steps", "3")}
CITED, HELD = 0.9, 0.7
"""Wanted of all statements: that so many are cited, and that so many are verified or repaired."""

CONTEXT_TOKENS, READING_TOKENS = 700, 3000
"""Of the first search, and of all that is read. With rules and schema a prompt is 1,200 tokens: 20 s on two free cores,
minutes on busy ones.
"""

ANSWER_TIMEOUT_S = 1800

JUDGED = ("verified", "repaired", "unverified", "uncited")
MARK = re.compile(r"\(not found\)|\(quote not found\)|\(not in \[|\(this code stands in no source\)|\(in no source:")


def main() -> None:
    arguments = parsed()
    settings = Settings.from_env(os.environ)
    environment = {**os.environ, "ASKREPO_CHAT_MODEL": NAME, "OPENAI_API_KEY": "none"}
    environment |= {name: str(ANSWER_TIMEOUT_S) for name in ("ASKREPO_CHAT_TIMEOUT_S", "ASKREPO_CHAT_MAX_S")}
    environment |= {"ASKREPO_CONTEXT_TOKENS": str(CONTEXT_TOKENS), "ASKREPO_READING_TOKENS": str(READING_TOKENS)}
    environment |= {"ASKREPO_ALIAS": arguments.alias or "this", "ASKREPO_ANSWER_FORM": "auto"}
    answers = arguments.answers or settings.cache / "chat-model" / "answers.db"
    environment["ASKREPO_ANSWERS"] = str(answers)
    if not arguments.alias:
        environment["ASKREPO_WORKSPACE"] = build_this(settings)
    with nullcontext(arguments.url) if arguments.url else chat_model(settings.cache) as url:
        environment["ASKREPO_OPENAI_BASE_URL"] = url
        print(f"verified : repaired : unverified : uncited; the answers are kept in {answers}", flush=True)
        totals = {way: in_all(way, arguments, environment, ReceiptStore(answers)) for way in arguments.way or WAYS}
    for way, counts in totals.items():
        print(f"{way:9s} {told(counts)}  in all: {shares(counts)}")
    missed = [f"{way}: {said}" for way, counts in totals.items() for said in shortcomings(counts)]
    wanted = f"as wanted: {CITED:.0%} cited, {HELD:.0%} verified or repaired, all that was not found marked"
    print("\n".join(missed) or wanted)
    sys.exit(1 if missed else 0)


def in_all(way: str, arguments: argparse.Namespace, environment: dict[str, str], store: ReceiptStore) -> Counter[str]:
    """The questions asked in one way, each answer told as it comes."""
    totals: Counter[str] = Counter()
    for question in QUESTIONS[: arguments.questions]:
        counts = asked(question, WAYS[way], environment, store)
        print(f"{way:9s} {told(counts)}  {question}", flush=True)
        totals.update(counts)
    return totals


def build_this(settings: Settings) -> str:
    """The URL of a workspace with this checkout under the alias `this`."""
    workspace = Workspace.open(str(settings.cache / "chat-model" / "workspace"))
    print(f"indexing {ROOT} in {workspace.url}", file=sys.stderr)
    definition = Definition("this", (str(ROOT),), include=("askrepo/**", "docs/**", "*.md"), embedder="hash")
    local = Settings.from_env({**os.environ, "ASKREPO_ALLOW_LOCAL": str(ROOT), "ASKREPO_WORKSPACE": workspace.url})
    run_until_embedded(definition, workspace=workspace, settings=local).finish(force=True)
    return workspace.url


def asked(question: str, options: Sequence[str], environment: dict[str, str], store: ReceiptStore) -> Counter[str]:
    """What became of the statements of one answer, its tokens and seconds."""
    started = time.monotonic()
    command = [sys.executable, "-m", "askrepo_query", "ask", "--json", *options, question]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    counts: Counter[str] = Counter(seconds=int(time.monotonic() - started))
    if not run.stdout:  # an answer that was cut off is one, whatever the exit code
        print(run.stderr, file=sys.stderr)
        counts["failed"] += 1
        return counts
    answer = json.loads(run.stdout)
    counts.update(counts_of(answer))
    (receipt,) = store.latest(1)
    counts["sent"], counts["received"] = receipt.tokens_in or 0, receipt.tokens_out or 0
    return counts


def counts_of(answer: dict[str, Any]) -> Counter[str]:
    """How many statements of an answer are what, and how many that were not found no mark tells of."""
    counts = Counter(map(judged, answer["statements"]))
    missing = sum(statement["state"] == "not found" for statement in answer["statements"])
    counts["unmarked"] = max(0, missing - len(MARK.findall(answer["answer"] or "")))
    counts["steps"] = len(answer["steps"])
    counts["failed"] = 0 if answer["statements"] else 1
    return counts


def judged(statement: dict[str, Any]) -> str:
    if statement["state"] in ("verified", "repaired"):
        return str(statement["state"])
    is_cited = any(source["state"] != "attributed" for source in statement["sources"])
    return "unverified" if is_cited else "uncited"


def told(counts: Counter[str]) -> str:
    judged = " : ".join(f"{counts[name]:2d}" for name in JUDGED)
    tokens = f"{counts['sent']:6,d} tokens in, {counts['received']:5,d} out"
    steps = f", {counts['steps']} steps" if counts["steps"] else ""
    return f"{judged}  {tokens}, {counts['seconds']:5,d} s{steps}{', failed' if counts['failed'] else ''}"


def shares(counts: Counter[str]) -> str:
    if not statements(counts):
        return "no statement"
    cited, held = cited_and_held(counts)
    return f"{cited:.0%} cited, {held:.0%} verified or repaired, {counts['unmarked']} not found and not marked"


def shortcomings(counts: Counter[str]) -> list[str]:
    """In what the answers are not as wanted."""
    cited, held = cited_and_held(counts)
    told = {
        f"{counted(counts['failed'], 'question')} without an answer": counts["failed"] > 0,
        f"{cited:.0%} cited, wanted {CITED:.0%}": cited < CITED,
        f"{held:.0%} verified or repaired, wanted {HELD:.0%}": held < HELD,
        f"{counts['unmarked']} not found and not marked, wanted none": counts["unmarked"] > 0,
    }
    return [said for said, is_so in told.items() if is_so]


def statements(counts: Counter[str]) -> int:
    return sum(counts[name] for name in JUDGED)


def cited_and_held(counts: Counter[str]) -> tuple[float, float]:
    """Which shares of the statements are cited, and verified or repaired; none of none."""
    total = statements(counts) or 1
    return (statements(counts) - counts["uncited"]) / total, (counts["verified"] + counts["repaired"]) / total


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alias", default=os.environ.get("ALIAS") or None)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    parser.add_argument("--url", help="base URL of a model that is served already")
    parser.add_argument("--way", choices=tuple(WAYS), action="append", help="only this way")
    parser.add_argument("--answers", type=Path, help="file that the answers are kept in")
    return parser.parse_args()


if __name__ == "__main__":
    main()
