"""Fixtures that several tests share: a small labelled text, vectors, a run trained on them, the real data."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nertool.api.functions import train
from nertool.config.file import load_config
from nertool.config.records import Config
from nertool.errors import VectorsError
from nertool.kernels import library
from nertool.model.save import save_model
from nertool.training.preparation.encode import prepare
from nertool.training.preparation.store import Prepared
from nertool.vectors.files.load import WordVectors, load_vectors
from tests.browser import chromium  # noqa: F401  (a fixture)
from tests.support.commands import run_main
from tests.support.models import make_model
from tests.support.training import pieces_in_this_process

# One thread, since the arrays are tiny and tests run in parallel.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--no-skips``: continuous integration installs everything, so a skipped test is a fault there."""
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped fails")


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes that tests start share compiled files if none may be written next to the source.

    Otherwise each of them would compile the whole package again.
    """
    if sys.dont_write_bytecode and "PYTHONPYCACHEPREFIX" not in os.environ:
        folder = tempfile.mkdtemp(prefix="nertool-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        del os.environ["PYTHONDONTWRITEBYTECODE"]


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped test, or a skipped test file, into a failed one."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"--no-skips forbids this: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Apply ``--no-skips`` to a test."""
    outcome: Any = yield
    if item.config.getoption("--no-skips"):
        _forbid_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Apply ``--no-skips`` to a test file that ``pytest.importorskip`` skips as a whole."""
    outcome: Any = yield
    if collector.config.getoption("--no-skips"):
        _forbid_skip(outcome.get_result())


SENTENCES = [
    "Ada/B-PER Lovelace/I-PER met/O Charles/B-PER Babbage/I-PER in/O London/B-LOC ./O",
    "The/O museums/O in/O Paris/B-LOC are/O amazing/O to/O see/O ./O",
    "Siemens/B-ORG hired/O Ada/B-PER in/O Berlin/B-LOC ./O",
    "Charles/B-PER left/O London/B-LOC for/O New/B-LOC York/I-LOC ./O",
    "It/O rained/O all/O day/O ./O",
    "New/B-ORG York/I-ORG Times/I-ORG reporters/O flew/O to/O Paris/B-LOC ./O",
]


def as_conll(sentences: list[str]) -> str:
    """Write "word/TAG word/TAG" sentences as two columns."""
    return "".join(
        "".join(f"{item.rpartition('/')[0]} {item.rpartition('/')[2]}\n" for item in line.split())
        + "\n"
        for line in sentences
    )


@pytest.fixture(scope="module", params=["compiled", "numpy"])
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a module's tests twice: with the compiled kernels, and with the numpy code that they replace."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(library, "loaded", None)
        elif not library.compiled():
            pytest.skip("nertool was installed without its compiled kernels")
        yield


Fill = Callable[[Path], None]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Fill], Path]:
    """Return a function that makes a folder once for all parallel test processes.

    The first process that asks for a name fills its folder, and the others wait. Tests must not change it.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def folder_of(name: str, fill: Fill) -> Path:
        folder, filled = base / "shared" / name, base / "shared" / f"{name}.filled"
        folder.parent.mkdir(exist_ok=True)
        with open(base / "shared" / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return folder_of


def trained(folder: Path, config: Path) -> None:
    """Train into a run folder as `nertool train` does, all networks in this process."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the text is tiny
        pieces_in_this_process(patch)
        train(config, folder)


def fill_tiny(folder: Path) -> None:
    (folder / "train.conll").write_text(as_conll(SENTENCES * 3))
    (folder / "dev.conll").write_text(as_conll(SENTENCES[:4]))
    words = sorted({item.rpartition("/")[0].lower() for line in SENTENCES for item in line.split()})
    rng = np.random.default_rng(0)
    rows = "".join(f"{word} {' '.join(f'{v:.4f}' for v in rng.normal(size=8))}\n" for word in words)
    (folder / "vectors.txt").write_text(f"{len(words)} 8\n{rows}")
    (folder / "config.yaml").write_text(
        "corpus: {train: train.conll, dev: dev.conll, test: dev.conll}\n"
        "vectors: {path: vectors.txt}\n"
        "network: {hidden: 16}\n"
        "training: {epochs: 6, batch_size: 16, alpha: 0.1}\n"
    )


@pytest.fixture(scope="session")
def tiny(shared: Callable[[str, Fill], Path]) -> Path:
    """A folder with train.conll, dev.conll, vectors.txt and config.yaml, which trains in a second."""
    return shared("tiny", fill_tiny)


def fill_full(folder: Path, vectors: Path) -> None:
    def documents(*texts: list[str]) -> str:
        return "".join(f"-DOCSTART- O\n\n{as_conll(sentences)}" for sentences in texts)

    capitals = ["ADA/B-PER LEFT/O LONDON/B-LOC", "Paris/B-LOC welcomed/O ADA/B-PER ./O"]
    train = documents(
        SENTENCES[:3], SENTENCES[3:], [*capitals, SENTENCES[0]], SENTENCES[1:5], [SENTENCES[5]]
    )
    (folder / "train.conll").write_text(train)
    (folder / "dev.conll").write_text(documents(SENTENCES[2:4], [*capitals, SENTENCES[1]]))
    shutil.copy(vectors, folder / "vectors.txt")
    (folder / "more.txt").write_text(
        "".join(
            f"{word} {i % 3} {i % 5 - 2} 1\n" for i, word in enumerate(["Ada", "in", "Paris", "to"])
        )
    )
    (folder / "config.yaml").write_text(
        "corpus: {train: train.conll, dev: dev.conll, test: dev.conll}\n"
        "vectors: {path: vectors.txt, more: [more.txt]}\n"
        "features: {caps: 2, affixes: 2, clusters: 2, memory: true, sentence: 2, document: 2, "
        "neighbours: true, document_vector: true}\n"
        "network: {hidden: 8, members: 3}\n"
        "first_stage: {folds: 2, hidden: 6, epochs: 2, window: 3, max_pooling: true}\n"
        "training: {epochs: 3, batch_size: 16, alpha: 0.1, dropout_input: 0.1, average: 2, recase: 0.2, "
        "replace_entities: 0.3, word_dropout: 0.5}\n"
        "decoding: {outside_bias: 0.5, consistency: 0.2}\n"
    )


@pytest.fixture(scope="session")
def full(tiny: Path, shared: Callable[[str, Fill], Path]) -> Path:
    """A folder like tiny's, with several documents, two files of vectors, and everything enabled in
    config.yaml.

    That is two stages, three members and every feature.
    """
    return shared("full", lambda folder: fill_full(folder, tiny / "vectors.txt"))


@pytest.fixture(scope="session")
def full_config(full: Path) -> Config:
    return load_config(full / "config.yaml")


@pytest.fixture(scope="session")
def full_prepared(full_config: Config) -> Prepared:
    """The prepared inputs of full_config. Tests must not change them."""
    return prepare(full_config)


@pytest.fixture(scope="session")
def full_run_dir(full: Path, shared: Callable[[str, Fill], Path]) -> Path:
    """A run folder trained on full's data. Tests must not change it."""
    return shared("full_run", lambda folder: trained(folder, full / "config.yaml"))


@pytest.fixture(scope="session")
def config(tiny: Path) -> Config:
    return load_config(tiny / "config.yaml")


@pytest.fixture(scope="session")
def prepared(config: Config) -> Prepared:
    """The prepared inputs of the tiny data. Tests must not change them."""
    return prepare(config)


@pytest.fixture(scope="session")
def run_dir(tiny: Path, shared: Callable[[str, Fill], Path]) -> Path:
    """A run folder trained on the tiny data. Tests must not change it."""
    return shared("run", lambda folder: trained(folder, tiny / "config.yaml"))


@pytest.fixture(scope="session")
def started(shared: Callable[[str, Fill], Path]) -> Path:
    """A folder that `nertool init` made, with a run of configs/quickstart.yaml that was trained for three
    epochs.

    Tests must not change it.
    """

    def fill(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            assert run_main(patch, ["init", folder]) == 0
            train = ["train", "configs/quickstart.yaml", "--set", "training.epochs=3", "--quiet"]
            assert run_main(patch, train, cwd=folder) == 0

    return shared("started", fill)


def nertool(
    *arguments: str | Path, stdin: str | bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as a user does; return its text output."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "nertool", *map(str, arguments)],
        input=given,
        capture_output=True,
        cwd=cwd,
        timeout=120,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    )


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    return nertool


@pytest.fixture
def main(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as nertool() does, but in this process, which saves the start of another one."""

    def run(
        *arguments: str | Path, stdin: str | bytes = b"", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        with monkeypatch.context() as patch:
            code = run_main(patch, arguments, stdin, cwd)
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(["nertool", *map(str, arguments)], code, out, err)

    return run


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run pieces one after another in this process, until a given number of records has been sent."""
    return partial(pieces_in_this_process, monkeypatch)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of a saved model that has everything that a model can have."""
    save_model(make_model(), tmp_path / "m")
    return tmp_path / "m"


@pytest.fixture
def read_vectors(tmp_path):
    def load_bytes(content: bytes, limit: int | None = None, name: str = "v") -> WordVectors:
        path = tmp_path / name
        path.write_bytes(content)
        return load_vectors(path, limit)

    return load_bytes


@pytest.fixture
def refused_vectors(read_vectors, tmp_path):
    """Return a function that gives the one-line message, without the folder, with which content is
    refused."""

    def message(content: bytes, limit: int | None = None, name: str = "v") -> str:
        with pytest.raises(VectorsError) as caught:
            read_vectors(content, limit, name)
        line = str(caught.value)
        assert "\n" not in line
        assert line.isprintable()
        assert line.startswith(str(tmp_path / name))
        assert "found" in line
        assert "expected" in line
        assert ";" in line
        return line.replace(f"{tmp_path}/", "")

    return message


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora and vectors. Without it, the test is skipped."""
    folder = Path(os.environ.get("NERTOOL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set NERTOOL_DATA to its folder)")
    return folder
