"""Are false statements marked, and true ones left alone? Answers made from real chunks, checked as they stream.

    python -m benchmarks.answers FOLDER… [--half development|confirmation|both] [--answers 500] [--mutations 1000]

Each FOLDER is a checked-out repository; every second one is in the confirmation half, on which nothing was tuned.
Prints of the true statements how many are marked, of the mutated ones how many are, what became of wrong and missing
citations, and the time that it takes.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from askrepo.answer.verification import Checked, Verifier
from askrepo.answer.verified_answer import VerifiedAnswer
from askrepo.text.tokens import count_tokens
from benchmarks.made_answers import Corpus, MadeAnswer, MadeStatement, make_answers, mutations
from benchmarks.question_sets import HALVES

PIECE_CHARS = 4
TOKENS_PER_S = 100
"""Of a quick endpoint: what checking costs is most of the time of a quick answer."""

MARKED = frozenset({"not found", "repaired", "nothing"})


@dataclass
class Figures:
    """Counts of one run: of each kind of statement the states that it got."""

    true: dict[str, Counter[str]] = field(default_factory=dict)
    mutated: dict[str, Counter[str]] = field(default_factory=dict)
    misplaced: Counter[str] = field(default_factory=Counter)
    uncited: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0
    tokens: int = 0
    answers: int = 0

    def share(self, counts: dict[str, Counter[str]], states: frozenset[str] = MARKED) -> float:
        total = sum(map(Counter.total, counts.values()))
        return sum(count[state] for count in counts.values() for state in states) / max(1, total)

    @property
    def true_marked(self) -> float:
        return self.share(self.true)

    @property
    def mutated_marked(self) -> float:
        return self.share(self.mutated)


def check(answer: MadeAnswer, text: str) -> VerifiedAnswer:
    """The text as an answer that arrives in pieces."""
    verified = VerifiedAnswer(Verifier(list(answer.sources), answer.corpus), _nothing)
    pieces = (text[at : at + PIECE_CHARS] for at in range(0, len(text), PIECE_CHARS))
    for _ in verified.marked(pieces):
        pass
    return verified


def _nothing(_path: str, _start: int, _end: int) -> None:
    """No answer made here cites by path."""


def state_of(answer: MadeAnswer, text: str) -> Checked | None:
    """What became of a text that is one statement; of a lead-in and a code block, of the block."""
    checked = check(answer, text).checked
    return checked[-1] if checked else None


def measure(corpora: Sequence[Corpus], *, answers: int, mutated: int, rng: random.Random) -> Figures:
    figures = Figures()
    made = [answer for corpus in corpora for answer in make_answers(corpus, answers // len(corpora), rng)]
    for answer in made:
        _measure_true(answer, figures, rng)
    candidates = [(answer, each) for answer in made for each in answer.statements]
    rng.shuffle(candidates)
    for answer, statement, kind, item in _mutated(candidates, mutated, rng):
        checked = state_of(answer, statement.text(item))
        state = checked.state if checked else "nothing said"
        figures.mutated.setdefault(kind, Counter())[state] += 1
        if state not in MARKED:
            figures.wrong.append(("missed", statement.item, item))
    return figures


KINDS = ("quote", "name", "number", "unit", "code")


def _mutated(
    candidates: Sequence[tuple[MadeAnswer, MadeStatement]], count: int, rng: random.Random
) -> Iterator[tuple[MadeAnswer, MadeStatement, str, str]]:
    """As many of each kind as there are, up to a fifth of the count."""
    left = dict.fromkeys(KINDS, count // len(KINDS))
    for answer, statement in candidates:
        of_it = {"number": ("number", "unit")}.get(statement.kind, (statement.kind,))
        for kind in (kind for kind in of_it if left.get(kind)):
            for item in islice(mutations(statement, answer, kind, rng), left[kind]):
                left[kind] -= 1
                yield answer, statement, kind, item


def _measure_true(answer: MadeAnswer, figures: Figures, rng: random.Random) -> None:
    text = "\n\n".join(statement.text() for statement in answer.statements)
    started = time.thread_time()
    checked = check(answer, text).checked
    figures.seconds += time.thread_time() - started
    figures.tokens += count_tokens(text)
    figures.answers += 1
    for statement, each in zip(answer.statements, _in_order(answer, checked), strict=False):
        figures.true.setdefault(statement.kind, Counter())[each.state] += 1
        if each.state in MARKED:
            figures.wrong.append((f"marked {each.state}", statement.kind, statement.text()))
    statement = rng.choice(answer.statements)
    elsewhere = [source.number for source in answer.sources if source.number != statement.source]
    misplaced = state_of(answer, statement.text(cited=[rng.choice(elsewhere) or 0]))
    figures.misplaced[_judged(misplaced, statement)] += 1
    quoted = next((each for each in answer.statements if each.kind == "quote"), None)
    if quoted is not None:
        unquoted = MadeStatement("prose", "{item}", quoted.item, quoted.source)
        figures.uncited[_judged(state_of(answer, unquoted.text(cited=())), quoted)] += 1


def _in_order(answer: MadeAnswer, checked: Sequence[Checked]) -> Iterator[Checked]:
    """One for each statement made: the lead-in of a code block is none."""
    kept = iter(checked)
    for statement in answer.statements:
        if statement.kind == "block":
            next(kept)
        yield next(kept)


def _judged(checked: Checked | None, statement: MadeStatement) -> str:
    if checked is None:
        return "no statement"
    is_right = any(
        support.source.number == statement.source for support in checked.supports if support.state != "not found"
    )
    return f"{checked.state}{', to its source' if is_right else ''}"


def main() -> None:
    arguments = parsed()
    folders = sorted(arguments.folders)
    halves = {half: folders[at::2] for at, half in enumerate(HALVES)}
    for half in HALVES if arguments.half == "both" else (arguments.half,):
        rng = random.Random(arguments.seed)
        corpora = [Corpus.of_folder(folder, rng) for folder in halves[half]]
        chosen = len(corpora) / len(folders) if arguments.half == "both" else 1
        counts = {"answers": int(arguments.answers * chosen), "mutated": int(arguments.mutations * chosen)}
        _print(half, [corpus.name for corpus in corpora], measure(corpora, **counts, rng=rng), wrong=arguments.wrong)


def _print(half: str, names: Sequence[str], figures: Figures, *, wrong: int) -> None:
    print(f"{half}: {', '.join(names)}; {figures.answers} answers")
    for title, counts in (("true", figures.true), ("mutated", figures.mutated)):
        total = sum(map(Counter.total, counts.values()))
        print(f"  {title}: {total} statements, {figures.share(counts):.2%} marked")
        for kind, states in sorted(counts.items()):
            print(
                f"    {kind:8s} {states.total():5d}  " + ", ".join(f"{n} {state}" for state, n in states.most_common())
            )
    for title, states in (("wrong citation", figures.misplaced), ("no citation", figures.uncited)):
        print(f"  {title}: " + ", ".join(f"{count} {state}" for state, count in states.most_common()))
    each = figures.seconds / max(1, figures.answers)
    share = figures.seconds / max(1e-9, figures.tokens / TOKENS_PER_S)
    print(f"  {1000 * each:.1f} ms of processor an answer, {share:.2%} of its time at {TOKENS_PER_S} tokens/s")
    for line in figures.wrong[:wrong]:
        print("   ", *map(repr, line))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="development")
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", type=int, default=0, help="print so many statements that were judged wrongly")
    return parser.parse_args()


if __name__ == "__main__":
    main()
