"""A short piece of text repeated, in every place of every format: time must grow as the input does.

A sample of each format that is read, as nertool writes it, gets a piece such as "<" or "[(" n times in the
place of a word, of a label, of its whole first line, or of the whole file. It is read, and what was read is
written in every text format. Patterns that look ahead from each place of a long text, and loops that copy
what is left, show themselves: four times the input takes them sixteen times as long. A fault of the input
is an answer, too; an error of another kind is not.

python -m tests.campaigns.repeated
python -m tests.campaigns.repeated --only brat inline --size 40000
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from nertool.catalogue import FORMATS, Format
from nertool.corpus.annotated import labelled
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import NertoolError
from nertool.formats.base import Writing
from nertool.formats.labelled import read_labelled
from nertool.formats.read import read_corpus
from nertool.formats.registry import text_writer
from tests.campaigns.common import Tally

PIECES = (
    # Signs that formats, links, numbers or tokens begin with, and runs of them.
    *tuple("<>[({\\\"'&#=|/-.,:;@*~_a1é漢"),
    *("\u200d", "\U0001f600", " ", "\t", "\u00a0"),
    *("a ", " a", "a.", "1,", "a-", "a@", "a/", "<a ", "<a>", "<!--", "<?", "<START:", "<START:A> ", "</"),
    *("[a](", "[a](B) ", "[[", "a/B ", "a|", "\\u", "\\n", "&amp;", "&#", '""', "{}", "[]", "{a", "= "),
    *("http://", "www.", "a@b.", "'s", "...", "(*", "(A*", "*)", "B-", "# a", "a=b|", "_[1]", "\r", "\n \n"),
)  # fmt: skip
_WORD, _LABEL = "Zzyzx", "QQLABEL"
_LARGER, _MOST, _LEAST = (
    4,
    8.0,
    0.15,
)  # times as large, times as long, seconds that are worth comparing
_LONGEST = 20  # seconds of one reading


class TooLongError(Exception):
    """A reading was not done in time."""


def main() -> None:
    """Try every piece in every place, and print those that grow too fast."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=10_000, help="characters of the smaller input")
    parser.add_argument("--only", nargs="*", help="formats")
    parser.add_argument("--pieces", nargs="*", help="pieces of text")
    options = parser.parse_args()
    tally = Tally("repeated")
    known = [f for f in FORMATS if f.reads and f.writes and f.container == "text"]
    with TemporaryDirectory(prefix="nertool-repeated-") as folder:
        for own in known:
            if options.only and own.name not in options.only:
                continue
            for place in ("word", "label", "line", "lines"):
                for piece in options.pieces or PIECES:
                    tally.count(fault(own, place, piece, options.size, Path(folder)))
            print(f"{own.name}: {tally.tries:,} tries", flush=True)
    sys.exit(tally.end())


def fault(own: Format, place: str, piece: str, size: int, folder: Path) -> str:
    """Read a piece that is repeated to a size and to four times that size; return what is wrong."""
    taken: list[dict[str, float]] = []
    for n in (size, _LARGER * size):
        path = folder / f"text{own.ending or '.txt'}"
        path.write_text(
            sample(own, place, piece, n), encoding="utf-8", errors="surrogatepass", newline=""
        )
        try:
            taken.append(seconds(own, path))
        except TooLongError as error:
            return f"{own.name}: {place} of {piece!r}, {n:,} characters: {error}"
        except Exception as error:
            return f"{own.name}: {place} of {piece!r}, {n:,} characters: {error!r:.300}"
    one, four = taken
    for step, took in four.items():
        before = one.get(step, took)
        if took > _LEAST and took > _MOST * max(before, 0.005):
            return f"{own.name}: {place} of {piece!r}: {step}: {before:.3f} s, then {took:.3f} s"
    return ""


def sample(own: Format, place: str, piece: str, n: int) -> str:
    """Write a sample of a format with a piece in some place, n characters of it."""
    repeated = piece * (n // len(piece))
    if place == "lines":
        return f"{piece}\n" * (n // (1 + len(piece)))
    if own.name not in _samples:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "text.conll"
            path.write_text(f"Ada B-{_LABEL}\nmet O\n{_WORD} B-PER\nhere O\n\nBob B-PER\nslept O\n")
            corpus = read_labelled(path, "conll", Reading(), Ledger(), lambda line: None)
            writing = Writing()
            _samples[own.name] = "".join(
                text_writer(own.name)([labelled(corpus)], writing, Ledger())
            )
    text = _samples[own.name]
    if place == "line":
        return f"{repeated}\n{text}"
    if text.lstrip()[:1] in "[{":
        repeated = json.dumps(repeated, ensure_ascii=False)[1:-1]
    return text.replace(_WORD if place == "word" else _LABEL, repeated)


_samples: dict[str, str] = {}


def seconds(own: Format, path: Path) -> dict[str, float]:
    """Return the seconds that each step took: to find the format, to read the text, to write it."""
    taken: dict[str, float] = {}
    for name in ("auto", own.name):
        with timed(taken, f"read as {name}"):
            try:
                corpus = read_corpus(path, name, Reading(), Ledger(), lambda line: None)
            except NertoolError:
                corpus = None
    if corpus is None:
        return taken
    piece = labelled(corpus)
    for to in FORMATS:
        if to.writes and to.container == "text":
            with timed(taken, f"write as {to.name}"):
                try:
                    for _ in text_writer(to.name)([piece], Writing(), Ledger()):
                        pass
                except NertoolError:
                    pass
    return taken


@contextmanager
def timed(taken: dict[str, float], step: str) -> Iterator[None]:
    """Take a step's seconds of the processor. Errors: TooLongError."""

    def stop(number: int, frame: FrameType | None) -> None:
        where: list[str] = []
        while frame and len(where) < 3:
            where.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
            frame = frame.f_back
        raise TooLongError(f"{step}: not done in {_LONGEST} s, at {', '.join(where)}")

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _LONGEST)
    begun = time.process_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    taken[step] = time.process_time() - begun


if __name__ == "__main__":
    main()
