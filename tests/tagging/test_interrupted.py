"""One tagger for many threads, and after calls that failed anywhere: every answer as from a new one."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import numpy as np
import pytest

from nertool.kernels.tagging import SideTerms, check_indices, window_sums
from nertool.model.model import Model
from nertool.tagging import compiled, forms, members, side, wordtables
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import document_text, random_model

pytestmark = pytest.mark.usefixtures("either_way")

WORDS = [f"{first}{i}" for i in range(60) for first in ("Ada", "paris", "LONDON", "x")]
MODELS = {
    "one-network": lambda: random_model(members=1, folds=0, seed=4),
    "two-stages": lambda: random_model(seed=4),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]()


def texts(number: int, seed: int = 0) -> list[list[str]]:
    """Draw documents of two sentences, whose words come back now and then."""
    drawn = random.Random(seed)
    return [[" ".join(drawn.choices(WORDS, k=6)) for _ in range(2)] for _ in range(number)]


def small_tagger(model: Model) -> CompiledTagger:
    """Make a tagger whose tables start anew again and again."""
    return CompiledTagger(model, table_bytes=60_000, most_forms=60)


@pytest.fixture
def shortest_switches() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def wrong_answers(model: Model, threads: int, each: int) -> tuple[int, int]:
    """Let threads share a tagger; return how many answers were wrong, or none, of how many."""
    documents = texts(40)
    alone = CompiledTagger(model)
    expected = [alone.scores(document_text(document)) for document in documents]
    shared = small_tagger(model)
    right = [0] * threads

    def work(number: int) -> None:
        drawn = random.Random(number)
        for _ in range(each):
            i = drawn.randrange(len(documents))
            scores = shared.scores(document_text(documents[i]))
            right[number] += np.allclose(scores, expected[i], rtol=1e-4, atol=1e-4)

    started = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return threads * each - sum(right), threads * each


def test_threads_that_share_a_tagger_get_the_answers_of_one(model, shortest_switches):
    wrong, answers = wrong_answers(model, threads=8, each=25)
    assert (wrong, answers) == (0, 200)


@pytest.mark.slow
def test_of_ten_thousand_answers_to_threads_none_is_wrong(model, shortest_switches):
    wrong, answers = wrong_answers(model, threads=8, each=1300)
    assert (wrong, answers) == (0, 10_400)


def test_a_process_forked_while_a_thread_tags_has_tables_that_are_whole(model):
    documents = texts(10)
    expected = [CompiledTagger(model).scores(document_text(d)) for d in documents]
    shared, ended = small_tagger(model), threading.Event()

    def work() -> None:
        while not ended.is_set():
            for document in documents:
                shared.scores(document_text(document))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if not child:
                found = [shared.scores(document_text(d)) for d in documents]
                same = all(map(lambda a, b: np.allclose(a, b, atol=1e-4), found, expected))
                os._exit(0 if same else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        ended.set()
        thread.join()


FILES = {module.__file__ for module in (compiled, forms, members, side, wordtables)}


class Fault(BaseException):
    """What is raised in the middle: a MemoryError or a Ctrl-C."""


def fails_at(step: int, work: Callable[[], Any], opcodes: bool) -> bool:
    """Do some work, and raise Fault at the step-th line (or bytecode) of the tables' files; return
    whether there were so many."""
    left = step

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in FILES:
            return None
        frame.f_trace_opcodes = opcodes
        if event == ("opcode" if opcodes else "line"):
            left -= 1
            if left == 0:
                raise Fault
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except Fault:
        return True
    finally:
        sys.settrace(before)
    return False


def survive_faults(model: Model, opcodes: bool, stride: int) -> int:
    """Fail at every stride-th step of one call after another; return how many failed."""
    probe = texts(3, seed=1)
    expected = [CompiledTagger(model).scores(document_text(document)) for document in probe]
    shared = small_tagger(model)
    for faults, step in enumerate(range(1, 1_000_000, stride)):
        # Some words that were met before, and some that never were.
        new = document_text([f"Ada{step} met paris1 .", "LONDON2 left"], [f"x{step} x1"])
        if not fails_at(step, partial(shared.scores, new), opcodes):
            return faults
        found = shared.scores(document_text(probe[step % 3]))
        np.testing.assert_allclose(found, expected[step % 3], rtol=1e-4, atol=1e-4)
    raise AssertionError("the work never ended")


def test_a_call_that_fails_at_any_line_changes_no_later_answer(model):
    # Two stages run the same lines several times: every fifth step meets all of them.
    stride = 5 if model.first_stage else 1
    assert survive_faults(model, opcodes=False, stride=stride) > 100


@pytest.mark.slow
def test_a_call_that_fails_at_any_bytecode_changes_no_later_answer(model):
    assert survive_faults(model, opcodes=True, stride=1) > 1000


def test_a_word_that_is_no_text_changes_no_later_answer(model):
    tagger = CompiledTagger(model)
    text = document_text(["Ada1 met paris1 ."])
    expected = CompiledTagger(model).scores(text)
    bad = document_text(["CRICKET LONDON3"])
    bad.words[1] = b"x"  # type: ignore[index]
    with pytest.raises((TypeError, AttributeError)):
        tagger.scores(bad)
    np.testing.assert_array_equal(tagger.scores(text), expected)
    new = document_text(["CRICKET Ada1"])
    np.testing.assert_allclose(tagger.scores(new), CompiledTagger(model).scores(new), rtol=1e-5)


@pytest.mark.parametrize(("indices", "around"), [([0, 3], 0), ([-1, 1], 0), ([0, 1], 1), ([2], 1)])
def test_indices_outside_an_array_are_refused(indices, around):
    with pytest.raises(IndexError, match="expected them within 0 and 2"):
        check_indices(np.array(indices, dtype=np.int32), 3, around)
    check_indices(np.array([1], dtype=np.int32), 3, 1)
    check_indices(np.array([], dtype=np.int32), 0)


def test_no_kernel_is_made_for_indices_outside_its_arrays(request):
    z, T = np.zeros((2, 4), np.float32), np.zeros((3, 1, 4), np.float32)
    centres = np.array([0, 1])
    if window_sums(z, T, np.array([0, 2], np.int32), centres, 1) is None:
        pytest.skip("without kernels numpy checks")
    rows = np.array([0, 2], np.int32)
    for bad in (np.array([0, 3], np.int32), np.array([-1, 0], np.int32)):
        terms = SideTerms(document=bad, documents=T[:, 0])
        of_contexts = SideTerms(context=bad, contexts=T)
        of_groups = SideTerms(group=bad + 2, sums=T[:2, 0], share=np.ones(2, np.float32))
        for picked, side_terms in (
            (bad, SideTerms()),
            (rows, terms),
            (rows, of_contexts),
            (rows, of_groups),
        ):
            with pytest.raises(IndexError):
                window_sums(z, T, picked, centres, 1, side=side_terms)
