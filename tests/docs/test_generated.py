"""What scripts/docs.py writes into docs/ is what the code says today."""

from __future__ import annotations

import pytest

from scripts import docs
from scripts.pages.architecture import architecture, in_reading_order


def test_the_generated_parts_of_the_documentation_are_current():
    names = [path.name for path in docs.stale()]
    assert names == [], "run python scripts/docs.py"


def test_every_command_has_a_section_with_its_options():
    text = docs.COMMANDS.read_text(encoding="utf-8")
    assert "## nertool predict\n" in text
    assert "| `-o`, `--output` `" in text
    assert text.count("\n## ") >= 12


def test_a_file_is_placed_behind_those_that_it_imports():
    needs = {"a": {"c"}, "b": set(), "c": {"b"}}
    assert in_reading_order(["a", "b", "c"], needs) == ["b", "c", "a"]


def test_files_that_import_one_another_are_named():
    with pytest.raises(ValueError, match="a → b → a"):
        in_reading_order(["a", "b"], {"a": {"b"}, "b": {"a"}})


def test_a_room_without_a_heading_is_named():
    with pytest.raises(ValueError, match="no heading for api, catalogue, cli"):
        architecture("# Architecture\n")
