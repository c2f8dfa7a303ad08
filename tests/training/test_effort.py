"""How much training is bought: by a budget, for texts of several sizes and kinds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nertool.training.effort import EFFORTS, effort_for
from nertool.training.statistics import Statistics

NEWS = Statistics(tokens=200_000, documents=900, classes=4, entities=23_000, coverage=0.98)
TWEETS = Statistics(tokens=60_000, documents=0, classes=3, entities=1_500, coverage=0.9)
ABSTRACTS = replace(TWEETS, recurrence=0.4)


@pytest.mark.parametrize("text", [NEWS, TWEETS, ABSTRACTS, replace(ABSTRACTS, tokens=30_000)])
def test_a_larger_budget_never_buys_less(text):
    budgets = ("5s", "30s", "60s", "2m", "10m")
    spent = [effort_for(text, budget).seconds(text.tokens) for budget in budgets]
    assert spent == sorted(spent)
    assert effort_for(text, "1s") == EFFORTS[-1]
    assert effort_for(text, "2m").seconds(text.tokens) <= 60
    assert effort_for(text, "10m").members == 5


def test_a_text_that_is_quick_to_train_on_gets_five_networks_unless_the_budget_forbids():
    few, many = replace(TWEETS, tokens=99_999), replace(TWEETS, tokens=100_000)
    assert [effort_for(text, "2m").members for text in (few, many)] == [5, 3]
    assert effort_for(few, "2m").seconds(few.tokens) <= 60
    assert effort_for(few, "30s").members == 3


def test_running_text_without_marks_gets_a_first_stage():
    texts = (replace(TWEETS, recurrence=r) for r in (0.0, 0.199, 0.2, 0.9))
    assert [effort_for(text, "2m").folds for text in texts] == [0, 0, 5, 5]
    tokens = (49_999, 50_000, 74_999, 75_000, 149_999, 150_000)
    sizes = (replace(ABSTRACTS, tokens=n) for n in tokens)
    assert [effort_for(text, "2m").members for text in sizes] == [5, 3, 3, 2, 2, 1]


def test_marked_documents_get_a_first_stage_where_one_network_after_it_beats_three():
    texts = [replace(NEWS, tokens=n) for n in (149_999, 150_000)]
    efforts = [effort_for(text, "2m") for text in texts]
    assert [(own.members, own.folds) for own in efforts] == [(3, 0), (1, 5)]
    assert effort_for(texts[0], "10m").folds == 5


def test_a_long_budget_averages_three_first_stages():
    stages = [effort_for(text, "10m").first_stages for text in (NEWS, ABSTRACTS, TWEETS)]
    assert stages == [3, 3, 1]


def test_too_little_time_for_a_first_stage_leaves_it_out():
    assert effort_for(replace(NEWS, tokens=800_000), "2m").folds == 0
    assert effort_for(ABSTRACTS, "10s").folds == 0


def test_a_text_of_millions_of_tokens_gets_one_network():
    assert effort_for(replace(NEWS, tokens=3_000_000), "2m").members == 1
