"""Give readers damaged input: vectors, models, columns, JSON, brat, configs, and all formats of text. Each
must read it, or refuse it with one line that names it, soon and in bounded memory.

With the package atheris, inputs are chosen by which code they reach; without it, samples are changed at
random.

python -m tests.campaigns.fuzz --seconds 600
python -m tests.campaigns.fuzz --target conll --seconds 60 --atheris
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.campaigns.common import Tally, trained

_MEMORY = 6 << 30  # bytes of address space
_SECONDS = 20  # for one input

Target = Callable[[bytes], None]


class _Folder:
    """Where inputs are written, and samples of each kind to begin from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = trained(folder / "m")
        self.path = folder / "input"
        (folder / "brat").mkdir()
        self.copy = folder / "copy"
        self.number = 0

    def targets(self) -> dict[str, tuple[list[bytes], Target]]:
        """Return the samples and the reader of each target."""
        from nertool.catalogue import FORMATS
        from nertool.corpus.ledger import Ledger
        from nertool.corpus.record import Reading
        from nertool.formats.read import read_corpus

        data = self.folder / "m"
        conll = (data / "dev.conll").read_bytes()
        vectors = (data / "vectors.txt").read_bytes()
        import numpy as np

        binary = b"3 2\n" + b"".join(
            word + b" " + np.array([1.5, -2], "<f4").tobytes() + b"\n"
            for word in (b"a", b"b", b"c")
        )
        lines = [
            {"text": "Ada met Paris.", "entities": [[0, 3, "PER"], {"start": 8, "end": 13, "label": "LOC"}]},
            {"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "PER"}],
             "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0}]},
            {"tokens": ["Ada", "met"], "ner_tags": ["B-PER", "O"]},
            {"data": {"text": "Ada"}, "annotations": [{"result": [{"value":
             {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}, "type": "labels"}]}]},
        ]  # fmt: skip
        samples = [json.dumps(line).encode() for line in lines]

        def text(format_name: str, **options: Any) -> Target:
            def read(raw: bytes) -> None:
                self.path.write_bytes(raw)
                read_corpus(self.path, format_name, Reading(**options), Ledger())

            return read

        targets: dict[str, tuple[list[bytes], Target]] = {
            "vectors": ([vectors[:400], binary, b"2 1\na 1\nb 2\n"], self._vectors),
            "model": (self._model_files(), self._model),
            "conll": (
                [conll[:300], b"1\tAda\tB-PER\n", b"-DOCSTART- O\n\nAda B-PER\n"],
                text("conll"),
            ),
            "json": ([*samples, b"[" + b",".join(samples[:2]) + b"]"], text("auto")),
            "brat": ([b"Ada met Paris.\0T1\tPER 0 3\tAda\nT2\tLOC 8 13\tParis\n"], self._brat),
            "config": (
                [(data / "config.yaml").read_bytes(), b"a: &a [1]\nb: [*a, *a]\n"],
                self._config,
            ),
        }
        for known in FORMATS:
            if known.reads and known.container in ("text", "bytes") and known.name not in targets:
                targets[known.name] = ([*samples, conll[:100], _SIGNS], text(known.name))
        return targets

    def _vectors(self, raw: bytes) -> None:
        from nertool.vectors.files.sources import load_any

        self.path.write_bytes(raw)
        if raw.startswith(b"\xba\x16\x4f\x2f"):
            return  # fastText's own model: gensim reads that one
        load_any(self.path, None, False, None)

    def _model_files(self) -> list[bytes]:
        from tests.campaigns.common import content_of

        return [name.encode() + b"\0" + raw for name, raw in content_of(self.run / "best").items()]

    def _model(self, raw: bytes) -> None:
        """Put bytes in the place of one of a model's files; it may be read without its sums, too."""
        from nertool.model.load import load_model
        from nertool.tagging.compiled import CompiledTagger

        name, _, content = raw.partition(b"\0")
        known = {path.name.encode(): path.name for path in (self.run / "best").iterdir()}
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.run / "best", self.copy)
        (self.copy / known.get(name, "model.json")).write_bytes(content)
        model = load_model(self.copy, verify=False)
        CompiledTagger(model)

    def _brat(self, raw: bytes) -> None:
        from nertool.corpus.ledger import Ledger
        from nertool.corpus.record import Reading
        from nertool.formats.read import read_corpus

        text, _, annotations = raw.partition(b"\0")
        (self.folder / "brat" / "a.txt").write_bytes(text)
        (self.folder / "brat" / "a.ann").write_bytes(annotations)
        read_corpus(self.folder / "brat", "brat", Reading(), Ledger())

    def _config(self, raw: bytes) -> None:
        from nertool.config.file import load_config

        self.path.write_bytes(raw)
        load_config(self.path)


_SIGNS = (
    b"[Ada](PER) met\tB-PER\n<b class='x'>&amp;</b> Ada_PER/PER <START:PER> Ada <END>\n"
    b"#Text=Ada\n1-1\t0-3\tAda\tPER\n123|t|Ada met\n123\t0\t3\tAda\tPER\n"
    b"<?xml version='1.0'?><doc><PER>Ada</PER></doc>\nword,tag\nAda,B-PER\n"
)
_TOKENS = (
    b"\n", b"\r\n", b"\t", b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xed\xa0\x80",
    b"{", b"}", b"[", b"]", b'"', b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 25, b"<", b">", b"&#0;",
    b"B-", b"I-X", b"#", b":", b"\\ud800", b"*a", b"&a ", b"<<: ", b"!!python/object:os.system x",
    b"[" * 300, b'{"a":' * 300, b"\xff\xfeA\0", b"\x1f\x8b\x08\0", b"BZh9", b"PK\3\4", b"\x80\x04\x95",
)  # fmt: skip


def mutate(raw: bytes, rng: random.Random) -> bytes:
    """Change a sample at a few places."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 4, 10))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((0, 1, 1, 5, 40)))
        kind = rng.randrange(5)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = rng.choice(_TOKENS)
        elif kind == 3:
            data[at:end] = rng.choice(_TOKENS)
        else:
            data[at:at] = data[at:end] * rng.choice((1, 2, 50))
    return bytes(data)


def attempt(target: Target, raw: bytes) -> str:
    """Give a reader an input; say what is wrong with what it does, empty if nothing is."""
    from nertool.errors import NertoolError

    signal.alarm(_SECONDS)
    try:
        target(raw)
    except NertoolError as error:
        return f"more than a line: {str(error)[:300]!r}" if "\n" in str(error) else ""
    except RecursionError as error:
        return f"RecursionError: {error}"
    except Exception as error:
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"[:400]
    finally:
        signal.alarm(0)
    return ""


def main() -> None:
    """Fuzz each target for its share of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="[default: %(default)s]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", action="append", help="one target [default: all in turn]")
    parser.add_argument("--atheris", action="store_true", help="one target, by coverage")
    options = parser.parse_args()
    if options.atheris:
        atheris = importlib.import_module("atheris")
        with atheris.instrument_imports(include=["nertool"]):
            import nertool.cli.app  # noqa: F401
    import gensim.models  # noqa: F401  (not in the time of the first input)

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    tally = Tally("fuzz")
    with tempfile.TemporaryDirectory(prefix="nertool-fuzz-") as folder:
        everything = _Folder(Path(folder)).targets()
        names = options.target or list(everything)
        if options.atheris:
            _by_coverage(*everything[names[0]], options.seconds, Path(folder))
        rng = random.Random(options.seed)
        for name in names:
            samples, target = everything[name]
            end = time.monotonic() + options.seconds / len(names)
            before = tally.tries
            while time.monotonic() < end:
                raw = mutate(rng.choice(samples), rng)
                failure = attempt(target, raw)
                tally.count(failure and f"{name}: {failure}; input {raw[:200]!r}")
            print(f"fuzz: {name}: {tally.tries - before:,} inputs", flush=True)
    sys.exit(tally.end())


def _by_coverage(samples: list[bytes], target: Target, seconds: float, folder: Path) -> None:
    """Let atheris choose the inputs; it ends the process, and shows what it found."""
    atheris = importlib.import_module("atheris")
    corpus = folder / "corpus"
    corpus.mkdir()
    for i, sample in enumerate(samples):
        (corpus / str(i)).write_bytes(sample)

    def one(raw: bytes) -> None:
        if failure := attempt(target, raw):
            raise RuntimeError(failure)

    atheris.Setup(
        [sys.argv[0], str(corpus), f"-max_total_time={int(seconds)}", "-rss_limit_mb=4096"], one
    )
    atheris.Fuzz()


def _too_long(*_: object) -> None:
    raise TimeoutError(f"took more than {_SECONDS} s")


if __name__ == "__main__":
    main()
