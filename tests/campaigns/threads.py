"""Tag in eight threads that share a tagger, with the shortest switch interval, while processes are
forked from beside them: every answer must be that of one thread alone.

python -m tests.campaigns.threads --count 10000
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.campaigns.common import SENTENCES, Tally, exit_code, run_campaign, trained

_THREADS = 8


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Ask for so many answers in all; ten processes are forked meanwhile, which ask for some themselves."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import nertool

    path = trained(folder)
    words = [item.rpartition("/")[0] for line in SENTENCES for item in line.split()]
    rng = random.Random(seed)
    # Mostly new words in every text: what a tagger remembers of words is what threads could spoil.
    texts = [
        " ".join(
            rng.choice(words) + rng.choice(["", "", str(rng.randrange(10**6))]) for _ in range(12)
        )
        for _ in range(min(count, 2000))
    ]
    alone = nertool.load(path)
    expected = [_answer(alone, text) for text in texts]
    shared = nertool.load(path)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-9)
    numbers = iter(range(count))
    wrong: list[str] = []
    answers = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal answers
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            i = number * 7919 % len(texts)
            try:
                found = _answer(shared, texts[i])
                failure = "" if found == expected[i] else f"{texts[i]!r}: {found} not {expected[i]}"
            except BaseException as error:
                failure = f"{texts[i]!r}: {type(error).__name__}: {error}"
            with lock:
                answers += 1
                if failure:
                    wrong.append(failure)

    threads = [threading.Thread(target=work) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    forks = 0
    while any(thread.is_alive() for thread in threads):
        if forks < 10 and answers > forks * count // 12:
            forks += 1
            tally.count(_in_fork(shared, texts, expected))
        threads[0].join(0.05)
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    for _ in range(answers - len(wrong)):
        tally.count("")
    for failure in wrong:
        tally.count(failure)
    again = [_answer(shared, text) for text in texts[:200]]
    tally.count("" if again == expected[:200] else "the tagger answers otherwise afterwards")


def _answer(tagger: object, text: str) -> list[tuple[int, int, str, float]]:
    document = tagger(text)  # type: ignore[operator]
    return [(e.start, e.end, e.label, round(e.probability, 6)) for e in document.entities]


def _in_fork(tagger: object, texts: list[str], expected: Sequence[object]) -> str:
    """Let a forked process tag; say what went wrong."""
    import signal

    pid = os.fork()
    if not pid:
        signal.alarm(60)  # to end a lock that nobody opens any more
        found = [_answer(tagger, text) for text in texts[:20]]
        os._exit(0 if found == expected[:20] else 1)
    code = exit_code(pid)
    return f"a forked process ended with {code}" if code else ""


if __name__ == "__main__":
    run_campaign("threads", __doc__, 10_000, campaign)
