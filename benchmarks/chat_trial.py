"""Ten questions about a repository to a real small chat model: how many of its statements hold.

    make test-chat [ALIAS=name]        (python -m benchmarks.chat_trial [--alias NAME] [--questions 10] [--url URL])

Without an alias it asks about this checkout, built with the embedder `hash` in a workspace of its own. Prints for each
answer and in all: verified (or corrected) : unverified : uncited statements, tokens of the answer, and seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from askrepo.settings import Settings
from askrepo.text.tokens import count_tokens
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
CONTEXT_TOKENS = 1500
ANSWER_TIMEOUT_S = 1200

HELD, UNVERIFIED = frozenset({"verified", "repaired"}), frozenset({"not found", "cited"})


def main() -> None:
    arguments = parsed()
    settings = Settings.from_env(os.environ)
    environment = {**os.environ, "ASKREPO_CHAT_MODEL": NAME, "OPENAI_API_KEY": "none"}
    environment |= {name: str(ANSWER_TIMEOUT_S) for name in ("ASKREPO_CHAT_TIMEOUT_S", "ASKREPO_CHAT_MAX_S")}
    environment |= {"ASKREPO_CONTEXT_TOKENS": str(CONTEXT_TOKENS), "ASKREPO_ALIAS": arguments.alias or "this"}
    if not arguments.alias:
        environment["ASKREPO_WORKSPACE"] = build_this(settings)
    totals: Counter[str] = Counter()
    with nullcontext(arguments.url) if arguments.url else chat_model(settings.cache) as url:
        environment["ASKREPO_OPENAI_BASE_URL"] = url
        for question in QUESTIONS[: arguments.questions]:
            counts = asked(question, environment)
            print(f"{told(counts)}  {question}", flush=True)
            totals.update(counts)
    statements = max(1, sum(totals[name] for name in ("held", "unverified", "uncited")))
    cited, held = 1 - totals["uncited"] / statements, totals["held"] / statements
    print(f"{told(totals)}  in all: {cited:.0%} cited, {held:.0%} held")


def build_this(settings: Settings) -> str:
    """The URL of a workspace with this checkout under the alias `this`."""
    workspace = Workspace.open(str(settings.cache / "chat-model" / "workspace"))
    definition = Definition("this", (str(ROOT),), include=("askrepo/**", "docs/**", "*.md"), embedder="hash")
    local = Settings.from_env({**os.environ, "ASKREPO_ALLOW_LOCAL": str(ROOT), "ASKREPO_WORKSPACE": workspace.url})
    run_until_embedded(definition, workspace=workspace, settings=local).finish(force=True)
    return workspace.url


def asked(question: str, environment: dict[str, str]) -> Counter[str]:
    """What became of the statements of one answer, its tokens and seconds."""
    started = time.monotonic()
    command = [sys.executable, "-m", "query", "ask", "--json", question]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    counts: Counter[str] = Counter(seconds=int(time.monotonic() - started))
    if run.returncode not in (0, 1) or not run.stdout:
        print(run.stderr, file=sys.stderr)
        counts["failed"] += 1
        return counts
    answer = json.loads(run.stdout)
    if os.environ.get("SHOW"):
        print(json.dumps(answer, indent=1), file=sys.stderr)
    counts["tokens"] = count_tokens(answer["answer"] or "")
    counts.update(map(judged, answer["statements"]))
    return counts


def judged(statement: dict[str, Any]) -> str:
    if statement["state"] in HELD:
        return "held"
    is_cited = any(source["state"] != "attributed" for source in statement["sources"])
    return "unverified" if statement["state"] in UNVERIFIED and is_cited else "uncited"


def told(counts: Counter[str]) -> str:
    shares = " : ".join(f"{counts[name]:2d}" for name in ("held", "unverified", "uncited"))
    return f"{shares}  {counts['tokens']:5d} tokens  {counts['seconds']:5d} s{'  failed' if counts['failed'] else ''}"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alias", default=os.environ.get("ALIAS") or None)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    parser.add_argument("--url", help="base URL of a model that is served already")
    return parser.parse_args()


if __name__ == "__main__":
    main()
