"""Labels that are probably wrong: in which order they are shown."""

from __future__ import annotations

from nertool.corpus.columnar import Span
from nertool.evaluation.errors.kinds import MISSED, WRONG_BOUNDARY, WRONG_TYPE, Finding
from nertool.evaluation.suspects import Suspect, in_turns


def suspect(name: str, kind: str, p_gold: float, p_model: float) -> Suspect:
    finding = Finding(kind, 0, Span(0, 1, name), None)
    return Suspect(finding, p_model - p_gold, p_gold, p_model)


def names(suspects: list[Suspect]) -> list[str]:
    return [s.finding.gold.label for s in suspects if s.finding.gold]


def test_kinds_take_turns_and_labels_without_an_entity_come_twice():
    found = [
        suspect("m1", MISSED, 0.0, 1.0),
        suspect("m2", MISSED, 0.1, 0.9),
        suspect("m3", MISSED, 0.1, 0.8),
        suspect("m4", MISSED, 0.1, 0.7),
        suspect("t1", WRONG_TYPE, 0.3, 0.7),
        suspect("t2", WRONG_TYPE, 0.4, 0.6),
    ]
    # Places: m 1/2, 2/2, 3/2, 4/2 and t 1, 2; of equal places the greater margin first.
    assert names(in_turns(found[::-1])) == ["m1", "m2", "t1", "m3", "m4", "t2"]


def test_boundaries_are_ordered_by_the_ratio_of_the_probabilities():
    found = [
        suspect("margin", WRONG_BOUNDARY, 0.2, 0.7),  # 0.5, 3.5 times
        suspect("ratio", WRONG_BOUNDARY, 0.01, 0.4),  # 0.39, 40 times
        suspect("impossible", WRONG_BOUNDARY, 0.0, 0.3),
    ]
    assert names(in_turns(found)) == ["impossible", "ratio", "margin"]
    assert in_turns([]) == []
