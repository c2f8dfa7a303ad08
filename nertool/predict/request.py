"""The options of `nertool predict` in one record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from nertool.catalogue import AUTO, Format, find_format, format_of_ending
from nertool.corpus.blocks import BLOCK_BYTES
from nertool.corpus.record import Reading
from nertool.files.packed import SUFFIXES
from nertool.tagging.annotate import Details


class Sizes(NamedTuple):
    """How much text is processed at a time. Speed and memory depend on it, the output does not.

    block_bytes: the size of blocks of lines; piece_characters: the size of records that are tagged together.
    """

    block_bytes: int = BLOCK_BYTES
    piece_characters: int = 1 << 18


@dataclass(frozen=True)
class PredictRequest:
    """Which inputs to tag, how to read them, and what to write where.

    inputs: files, folders and patterns as the user wrote them; `-` is standard input. output: one file for
    all results; None or `-` is standard output. out_dir: a folder with one output for each input.
    format_name: the inputs' format, or auto. to: the outputs' format; by default, the format that each
    input's own format is written as. scheme: the scheme of the tags; by default that of the training text.
    replace_tags: in CoNLL columns, replace the tags instead of adding a column. details: the details to
    compute in addition to the entities. reading: how the inputs are read. tokens: whether JSON has the
    positions of tokens and sentences. on_error: "fail" stops at an input that can't be read; "skip"
    continues without it, or in CoNLL columns without the sentences that have a faulty row. rules: a file of
    phrases that are always, or never, an entity. ner_key: as in Writing.
    """

    inputs: tuple[str, ...] = ()
    output: Path | None = None
    out_dir: Path | None = None
    format_name: str = AUTO
    to: str | None = None
    scheme: str | None = None
    replace_tags: bool = False
    details: Details = field(default_factory=Details)
    reading: Reading = field(default_factory=Reading)
    tokens: bool = False
    on_error: str = "fail"
    workers: int = 1
    rules: Path | None = None
    ner_key: str = ""
    sizes: Sizes = field(default_factory=Sizes)

    @property
    def to_format(self) -> Format | None:
        """The outputs' format; None if each input's own format determines it (see for_input)."""
        if self.to is not None:
            return find_format(self.to)
        meant = format_of_ending(self.ending)
        if self.details.of_sentences:
            holds = meant is not None and "alternatives" in meant.keeps
            return meant if holds else find_format("jsonl")
        return meant if meant is not None and meant.container != "text" else None

    @property
    def ending(self) -> str:
        """The file extension of the single output, without that of a compression; empty if there is none."""
        if self.out_dir is not None or self.to_stdout or self.output is None:
            return ""
        path = self.output
        return (path.with_suffix("") if path.suffix in SUFFIXES else path).suffix

    @property
    def to_stdout(self) -> bool:
        """Whether the output goes to standard output."""
        return self.out_dir is None and (self.output is None or str(self.output) == "-")

    def for_input(self, known: Format) -> Format:
        """Return the output's format for an input of format `known`.

        It is the first of: the requested format; the format that `known` is written as, if the output has its
        file extension; the format of the output's file extension; the format that `known` is written as. JSON
        lines replaces formats that can't be written to standard output.
        """
        to = self.to_format
        if to is not None:
            return to
        own = find_format(known.written_as)
        if self.to_stdout and own.container != "text":
            return find_format("jsonl")
        if self.ending in (own.ending, *own.other_endings):
            return own
        return format_of_ending(self.ending) or own

    @property
    def with_source(self) -> bool:
        """Whether each record names its input, because several inputs share an output."""
        return len(self.inputs) > 1 and self.out_dir is None

    @property
    def unlabelled(self) -> Reading:
        """How to read inputs without their own labels."""
        return replace(self.reading, labelled=False)

    def reading_for(self, to: Format) -> Reading:
        """Return how to read inputs for an output in a format.

        The inputs' own labels are kept in a field if the format can hold it.
        """
        if "gold" not in to.keeps:
            return self.unlabelled
        misaligned = "snap" if self.reading.misaligned == "error" else self.reading.misaligned
        return replace(self.unlabelled, gold=True, misaligned=misaligned)

    def for_output(self, to: Format) -> PredictRequest:
        """Return the request for an output in a format, with probabilities if the format always has them."""
        always = "probabilities" in to.keeps and not to.probabilities_on_request
        return replace(
            self, details=replace(self.details, probabilities=self.details.probabilities or always)
        )

    def misuse(self) -> str | None:
        """Return a message about options that exclude each other, or None if there are none."""
        to = self.to_format
        if self.output is not None and self.out_dir is not None:
            return "--output names one file, --out-dir a folder for many: give one of them"
        if to is not None and to.container != "text" and self.to_stdout:
            return f"--to {to.name} can't be written to standard output: give --output or --out-dir"
        if self.details.of_sentences and to is not None and "alternatives" not in to.keeps:
            return f"--n-best, --marginals: {to.name} has no place for them: try --to jsonl"
        return None
