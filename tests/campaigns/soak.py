"""Tag a stream of many tokens: memory must stay flat, and not one sentence may be lost.

python -m tests.campaigns.soak --tokens 100000000
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.campaigns.common import ENVIRONMENT, NERTOOL, SENTENCES, Tally, trained

_MOST_GROWTH = 64 << 20  # bytes that memory may grow by after the first tenth
# The share of words that never came before. The tagger remembers half a million words: the first tenth of
# ten million tokens fills that memory, and all that follows must do with it.
_NEW_FIRST, _NEW_LATER = 0.6, 0.05


def main() -> None:
    """Write columns to the command's input, and count the lines of its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000_000, help="[default: %(default)s]")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    tally = Tally("soak")
    with tempfile.TemporaryDirectory(prefix="nertool-soak-") as folder:
        model = trained(Path(folder))
        process = subprocess.Popen(
            [*NERTOOL, "predict", str(model), "-", "--from", "conll", "--workers", str(options.workers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        written = _Written()
        writer = threading.Thread(target=written.write, args=(process.stdin, options.tokens))
        writer.start()
        began, lines, memory = time.monotonic(), 0, []
        while piece := process.stdout.read(1 << 22):
            lines += piece.count(b"\n")
            memory.append((lines, _memory_of(process.pid)))
        writer.join()
        assert process.stderr is not None
        told = process.stderr.read().decode()
        code = process.wait()
    seconds = time.monotonic() - began
    early = max((m for n, m in memory if n <= written.lines / 10), default=memory[0][1])
    most = max(m for _, m in memory)
    print(
        f"soak: {written.tokens:,} tokens in {seconds:.0f} s ({written.tokens / seconds:,.0f} a second), "
        f"{early >> 20} MB after a tenth, {most >> 20} MB at most"
    )
    tally.count(f"exit code {code}: {told[-300:]}" if code else "")
    tally.count(f"{lines:,} lines out of {written.lines:,}" if lines != written.lines else "")
    tally.count(f"memory grew to {most:,} bytes" if most - early > _MOST_GROWTH else "")
    tally.count("" if f"{written.tokens:,} tokens" in told else f"another account: {told[-300:]}")
    sys.exit(tally.end())


class _Written:
    """What was written to the command."""

    def __init__(self) -> None:
        self.tokens = self.lines = 0

    def write(self, stream: object, tokens: int) -> None:
        """Write so many tokens, with documents and ever new words, and close the stream."""
        rng = random.Random(0)
        words = [item.rpartition("/")[0] for line in SENTENCES for item in line.split()]
        try:
            while self.tokens < tokens:
                block = ["-DOCSTART-", ""]
                for _ in range(2000):
                    block += rng.choices(words, k=rng.randrange(1, 30))
                    block.append("")
                share = _NEW_FIRST if self.tokens < tokens / 10 else _NEW_LATER
                new = rng.sample(range(len(block)), int(share * len(block)))
                for i in new:
                    if block[i] and block[i] != "-DOCSTART-":
                        block[i] += str(rng.randrange(10**9))
                text = "".join(f"{word} O\n" if word else "\n" for word in block).encode()
                stream.write(text)  # type: ignore[attr-defined]
                self.tokens += sum(1 for word in block if word and word != "-DOCSTART-")
                self.lines += len(block)
        except BrokenPipeError:
            return
        finally:
            stream.close()  # type: ignore[attr-defined]


def _memory_of(pid: int) -> int:
    """Return how much memory a process has in use, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


if __name__ == "__main__":
    main()
