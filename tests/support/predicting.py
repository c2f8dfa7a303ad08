"""Helpers for the tests of predict: a text, a call that tags it, and its output as objects."""

from __future__ import annotations

import json

from nertool.corpus.ledger import Ledger
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import tag_text

TEXT = "Ada Lovelace met Charles in London. Siemens hired Ada.\n\nIt rained in  Paris.\n"


def tag(tagger: CompiledTagger, text: str | bytes, ledger: Ledger | None = None, **how) -> str:
    return "".join(tag_text(tagger, text, ledger, **how))


def objects(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]
