"""The names of all choices: file formats, tag schemes, what to do with misaligned entities.

It needs nothing but Python, so that help texts and misuse are answered without numpy.
"""

from __future__ import annotations

SCHEMES = ("io", "iob1", "iob2", "bioes")
MISALIGNED = ("error", "snap", "drop")
MODES = ("conlleval", "strict", "exact-boundary", "partial", "type")  # of counting right entities

# Other names for JSON lines and lists, as people call them.
ALIASES = {"doccano": "jsonl", "spacy": "jsonl", "prodigy": "jsonl", "hf": "jsonl"}
UNLABELLED = ("text", "lines", "raw")

LABELLED_INPUTS = (
    "auto", "conll", "conllu", "jsonl", "json", "doccano", "spacy", "hf", "label-studio", "brat",
    "inline", "parquet",
)  # fmt: skip
INPUT_FORMATS = (*LABELLED_INPUTS, "raw", "lines", "text")
LABELLED_OUTPUTS = (
    "conll", "conllu", "jsonl", "json", "doccano", "spacy", "hf", "label-studio", "brat", "inline",
    "spans", "parquet",
)  # fmt: skip
OUTPUTS = (*(form for form in LABELLED_OUTPUTS if form != "brat"), "html")
