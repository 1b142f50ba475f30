"""Hundreds of thousands of random histories: ``python -m tests.compare --examples 100000 --seed 0 --jobs 2``.

Each history goes through the engine and the reference (verdict, reasons, every refusal, mark, R27, and again from
a mark that an earlier run left), and the reference's decisions through the property that knows no rules. Signatures
are stubbed (``stubbed.py``), else nearly all of the time would go there. What differs is shown with its seed;
``--show SEED`` tells that history, made as small as it gets while something differs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import replace
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import asking
import emit
import histories
import property_no_rules
import reference
import stubbed
from histories.questions import with_true_marks
from lookingahead import looking_ahead, reluctant
from shrinking import shrunk
from telling import told

from gitverify.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emit import Sign
    from histories import Case

BATCH = 200
DIALECTS = ("native",) * 8 + ("guix", "openssh")


def case_of(seed: int) -> Case:
    """The case with this seed."""
    case = histories.draw_case(histories.seeded(seed), DIALECTS, paths=seed % 8 != 0)
    return stubbed.with_ssh_keys(case)


class Comparison:
    """One case, put to both; ``seen`` counts what came up."""

    def __init__(self, case: Case, dice: histories.Dice, seen: Counter[str], sign: Sign | None = None) -> None:
        self.case = case
        self.dice = dice
        self.seen = seen
        self.emitted = emit.emit(case.history, case.dialect, sign)
        # Some histories are looked into ahead of the judgement, and some are examined meanwhile, as other processes do
        # with large ones.
        pools = (looking_ahead, reluctant, None)
        make = pools[len(case.history) % 3]
        self.make_pool = make and make(self.emitted.repository)
        world = reference.anchored(case.history, case.question)
        self.known = reference.decide_all(world) if isinstance(world, reference.World) else None

    def differences(self) -> Iterator[str]:
        """Everything that is not as it should be."""
        yield from self.asked(self.case.question)
        if self.known is None:
            return
        self.seen.update(f"rule {one.rule}" for one in self.known.decisions.values() if not one.code)
        for tip in self.dice.some(list(self.case.history), 3):
            yield from self.asked(replace(self.case.question, tip=tip))
        yield from self.asked_from_a_mark()
        if self.case.dialect == "native":
            for hole in property_no_rules.holes(self.known):
                yield f"nobody answers for {hole.path!r} in {hole.later} to those who knew {hole.earlier}"

    def report(self, question: reference.Question) -> reference.RefReport:
        if self.known is None:
            return reference.judge(self.case.history, question)
        return reference.answer(self.known, question)

    def asked(self, question: reference.Question) -> Iterator[str]:
        """Ask both from the introduction."""
        report = self.report(question)
        request = asking.request_for(question, self.emitted, self.known, newest_authentic=self.known is not None)
        outcome = verify(self.emitted.repository, request, make_pool=self.make_pool)
        self.seen.update([report.verdict, *report.reasons])
        found = asking.difference(outcome, report, self.emitted)
        if found:
            yield f"{question.tip}: {found}"
        elif self.known is not None:
            yield from self.marks_and_fallback(question, report, outcome)

    def marks_and_fallback(self, question, report, outcome) -> Iterator[str]:
        if report.verdict == "authentic":
            expected = reference.r23_mark(self.known, question.tip)
            found = asking.marked(outcome, self.emitted, self.known)
            self.seen[f"mark of {len(expected)}"] += 1
        else:
            expected = reference.newest_authentic(self.known, question)
            expected = None if expected == question.tip else expected  # which is refused for something else
            found = outcome.fallback and self.emitted.names[outcome.fallback]
            self.seen["R27 finds one" if expected else "R27 finds none"] += 1
        if found != expected:
            what = "mark" if report.verdict == "authentic" else "fallback"
            yield f"{question.tip}: the engine's {what} is {found}, the reference's {expected}"

    def asked_from_a_mark(self) -> Iterator[str]:
        """A first run accepts some commit; a second one, which trusts its mark, answers as if it looked at all."""
        tips = [name for name in self.case.history if reference.is_main(self.known, name)]
        start = replace(self.case.question, tip=self.dice.pick(tips), marks=frozenset(), contains=frozenset())
        start = replace(start, max_age=None)
        first = verify(self.emitted.repository, asking.request_for(start, self.emitted))
        if first.mark is None:
            yield f"{start.tip}: accepted by the reference, and the engine says {first.verdict}, {first.reason}"
            return
        question = replace(self.case.question, marks=reference.r23_mark(self.known, start.tip))
        if self.dice.one_in(2):
            question = replace(question, tip=self.dice.pick(list(self.case.history)))
        report = self.report(question)
        floor = replace(first.mark, trusted=True)
        request = asking.request_for(question, self.emitted, floor=floor)
        outcome = verify(self.emitted.repository, request, make_pool=self.make_pool)
        self.seen[f"from a mark: {report.verdict}"] += 1
        found = asking.difference(outcome, report, self.emitted)
        if found:
            yield f"{question.tip} from the mark of {start.tip}: {found}"
        elif report.verdict == "authentic":
            expected, found = (
                reference.r23_mark(self.known, question.tip),
                asking.marked(outcome, self.emitted, self.known),
            )
            if found != expected:
                yield f"{question.tip} from the mark of {start.tip}: mark {found}, the reference's {expected}"


def compared(case: Case, seed: int, seen: Counter[str]) -> list[str]:
    """What is not as it should be in one history, whose signatures are stubbed."""
    return list(Comparison(case, histories.seeded(-seed - 1), seen, stubbed.signature_text).differences())


def compared_batch(seeds: range) -> tuple[list[tuple[int, list[str]]], Counter[str]]:
    """The histories that are not as they should be, and what came up."""
    seen: Counter[str] = Counter()
    with stubbed.without_cryptography():
        found = [(seed, compared(case_of(seed), seed, seen)) for seed in seeds]
    return [(seed, differences) for seed, differences in found if differences], seen


def show(seed: int) -> None:
    """Tell a history, as small as it gets while something differs."""
    case = case_of(seed)

    def is_wrong(smaller: Case) -> bool:
        return with_true_marks(smaller) == smaller and bool(compared(smaller, seed, Counter()))

    with stubbed.without_cryptography():
        case = shrunk(case, is_wrong) if is_wrong(case) else case
        print(told(case), *compared(case, seed, Counter()), sep="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed; each history has the next")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, help="tell the history with this seed, shrunk, and what differs")
    arguments = parser.parse_args()
    if arguments.show is not None:
        show(arguments.show)
        return 0
    start = time.monotonic()
    end = arguments.seed + arguments.examples
    batches = [range(at, min(at + BATCH, end)) for at in range(arguments.seed, end, BATCH)]
    seen: Counter[str] = Counter()
    wrong = 0
    with Pool(arguments.jobs) as pool:
        for found, more in pool.imap_unordered(compared_batch, batches):
            seen += more
            wrong += len(found)
            for seed, differences in found:
                print(f"seed {seed}:", *differences, sep="\n  ", flush=True)
    took = time.monotonic() - start
    print(*(f"{count:9,}  {what}" for what, count in sorted(seen.items())), sep="\n")
    print(f"{arguments.examples:,} histories, {wrong:,} of them wrong, {arguments.examples / took:.0f} a second")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
