"""A failed training is told, with what to change; too large vectors are the vectors' fault."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import pytest

import nertool
from nertool.config.file import load_config
from nertool.config.learning import NetworkConfig
from nertool.config.records import Config
from nertool.evaluation.scores import Counts, Scores
from nertool.training.divergence import Watch, chance_loss, signs_of_divergence
from nertool.training.trainer import EpochRecord

SOFTMAX = replace(Config(), network=NetworkConfig(output="softmax"))


def epoch(number: int, J: float, gold: int = 5, predicted: int = 5) -> EpochRecord:
    dev = Scores({"PER": Counts(0, gold, predicted)}, 10, 5, 2)
    return EpochRecord(number, J, dev, 0.1, 1.0, 1.0, True)


def test_chance_is_the_loss_of_equal_probabilities():
    # Softmax of 4 equal scores: each p = 1/4, J = −ln 1/4. Three logistic outputs at p = 1/2: J = 3 ln 2.
    assert chance_loss(SOFTMAX, 4) == pytest.approx(math.log(4))
    assert chance_loss(
        replace(SOFTMAX, network=NetworkConfig(output="logistic")), 3
    ) == pytest.approx(3 * math.log(2))


def test_a_loss_that_rises_or_stays_beyond_chance_is_a_sign_and_one_that_falls_is_none():
    def sign(*losses: float) -> str | None:
        return signs_of_divergence(SOFTMAX, [epoch(i, J) for i, J in enumerate(losses, 1)], 4)

    assert sign() is None
    assert sign(1.3, 0.9, 0.2) is None
    assert sign(0.5, 0.7) is None  # noise: less than half as much again
    rose = sign(0.5, 3.0)
    assert rose is not None
    assert "J rose from 0.5 in epoch 1 to 3 in epoch 2" in rose
    assert "set training.alpha lower" in rose
    far = sign(900.0, 40.0)
    assert far is not None
    assert "J is 40 after epoch 2, and 1.4 for a network that knows nothing" in far


def test_a_network_that_finds_nothing_in_dev_is_a_sign_unless_there_is_nothing():
    found = signs_of_divergence(SOFTMAX, [epoch(1, 0.5, 7, 0)], 4)
    assert found is not None
    assert "finds no entity in dev, expected some of 7" in found
    assert signs_of_divergence(SOFTMAX, [epoch(1, 0.5, 0, 0)], 4) is None


def test_each_network_is_judged_by_itself():
    watch = Watch(SOFTMAX, ["O", "B-PER", "I-PER", "B-LOC"])
    for i, (one, other) in enumerate([(1.0, 1.0), (0.5, 9.0)], 1):
        watch.see("member 1", epoch(i, one))
        watch.see("member 2", epoch(i, other))
    (line,) = watch.signs()
    assert line.startswith("member 2: J rose from 1 in epoch 1 to 9 in epoch 2")


def test_a_rate_far_too_large_is_told_by_the_command_and_to_python(main, tiny, tmp_path):
    done = main(
        "train", tiny / "config.yaml", "--set", "training.alpha=50", "--run-dir", tmp_path / "r"
    )
    assert done.returncode == 0
    (line,) = [line for line in done.stderr.splitlines() if "training.alpha" in line]
    assert line.startswith("WARNING: J is ")
    assert line.endswith("set training.alpha lower (it is 50)")
    config = load_config(tiny / "config.yaml", ["training.alpha=50"])
    with pytest.warns(UserWarning, match="set training.alpha lower"):
        nertool.train(config, tmp_path / "s")


def test_vectors_that_are_too_large_are_the_vectors_fault(main, tiny, tmp_path):
    (tmp_path / "v.txt").write_text("Ada 1 2\nParis 3e38 -3e38\nin 1 1\n")
    done = main(
        "train", tiny / "config.yaml", "--vectors", tmp_path / "v.txt", "--run-dir", tmp_path / "r"
    )
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told.startswith(f"nertool: {tmp_path / 'v.txt'}: found values above 1e+06 in 1 vectors")
    assert 'the largest, 3e+38 (as absolute value), in that of "Paris"' in told
    assert "alpha" not in told


@pytest.mark.parametrize(
    "command",
    [
        "train config.yaml --run-dir OUT --set training.alpha=100 --set training.optimizer=sgd",
        "train config.yaml --run-dir OUT --set training.l2=1000 --set network.output=softmax",
        "train config.yaml --run-dir OUT --set training.class_balance=10 --set network.activation=relu",
        "vectors info huge.txt --like Ada",
        "vectors convert huge.txt --dtype int8 -o OUT",
        "predict run dev.conll --to jsonl --probabilities --marginals",
        "evaluate run dev.conll --all-modes",
    ],
)
def test_numpy_warns_of_nothing(main, tiny, run_dir, tmp_path, command):
    (tmp_path / "huge.txt").write_text("Ada 3e38 -3e38\nParis 3e38 3e38\nin 0 0\n")
    paths = {"OUT": tmp_path / "OUT", "huge.txt": tmp_path / "huge.txt", "run": run_dir}
    words = [str(paths.get(word, word)) for word in command.split()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = main(*words, cwd=tiny)
    assert "unexpected" not in done.stderr
    assert done.returncode in (0, 1)
