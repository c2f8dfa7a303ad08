"""`nertool corpus check` and `nertool corpus stats`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.account import ReportPath, account
from nertool.cli.options import (
    AsJson,
    Column,
    FromFormat,
    Language,
    Misaligned,
    TagNames,
    note,
    print_json,
    read_config,
    reading_as,
)

if TYPE_CHECKING:
    from nertool.corpus.findings import Finding, Part
    from nertool.corpus.ledger import Ledger
    from nertool.corpus.records import Reading

Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|CONFIG",
        help="Labelled texts, the one to learn from first; or a config, for its train, dev and test.",
    ),
]
_SHOWN = 3  # places of a finding on the screen; --json and --report have more


def check(
    inputs: Inputs,
    form: FromFormat = "auto",
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors, to see how many words they know.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if anything is found that is likely a fault.")
    ] = False,
    token_column: Column = None,
    tag_column: Column = None,
    tag_names: TagNames = None,
    misaligned: Misaligned = "drop",
    language: Language = "en",
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Examine labelled texts before training: slips, contradictions, leaks, odd characters, habits."""
    reading = reading_as(form, token_column, tag_column, tag_names, misaligned, language)

    from nertool.corpus.check import check as find

    with account(report, *inputs) as ledger:
        parts, vectors_path = _read(inputs, form, reading, ledger)
        findings = find(parts)
        path = vectors or vectors_path
        if path is not None:
            findings += _coverage(path, parts)
        for finding in findings if report else ():
            for place in finding.places:
                ledger.note(place, finding.kind, finding.message)
        if as_json:
            _print_json(parts, findings)
        else:
            _print_text(parts, findings)
    if strict and any(finding.serious for finding in findings):
        raise typer.Exit(1)


def stats(
    inputs: Inputs,
    form: FromFormat = "auto",
    token_column: Column = None,
    tag_column: Column = None,
    tag_names: TagNames = None,
    misaligned: Misaligned = "drop",
    language: Language = "en",
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Count documents, sentences, words, and entities by class and length."""
    reading = reading_as(form, token_column, tag_column, tag_names, misaligned, language)

    from nertool.corpus.stats import as_text
    from nertool.corpus.stats import stats as numbers_of

    with account(report, *inputs) as ledger:
        parts, _ = _read(inputs, form, reading, ledger)
        numbers = [numbers_of(part) for part in parts]
        if as_json:
            print_json(numbers)
        else:
            print("\n\n".join(map(as_text, numbers)))


def _read(
    inputs: list[Path], form: str, reading: Reading, ledger: Ledger
) -> tuple[list[Part], Path | None]:
    """Read the texts, or a config's parts; return them, and the config's vectors."""
    from dataclasses import replace

    from nertool.corpus.check import parts_of
    from nertool.corpus.labelled import read_labelled, reading_of

    reading = replace(reading, needs_labels=True)
    paths, vectors = [(str(path), path) for path in inputs], None
    configs = [path for path in inputs if path.suffix in (".yaml", ".yml")]
    if configs:
        if len(inputs) > 1:
            raise typer.BadParameter(
                f"{configs[0]}: a config names all texts itself: give it alone"
            )
        told = (form, reading.token_column, reading.tag_column, reading.tag_names)
        if told != ("auto", None, None, ()):
            raise typer.BadParameter(
                "--from, --token-column, --tag-column, --tag-names: a config says how its texts are read: "
                "leave them out"
            )
        config = read_config(inputs[0], None, None)
        settings, vectors = config.corpus, config.vectors.path
        named = (("train", settings.train), ("dev", settings.dev), ("test", settings.test))
        paths = [(name, path) for name, path in named if path is not None]
        if not paths:
            raise typer.BadParameter(f"{inputs[0]}: names no corpus.train, nothing to look at")
        form = settings.format
        reading = replace(
            reading_of(settings), misaligned=reading.misaligned, language=reading.language
        )
    short = [Path(name).name for name, _ in paths]
    if len(set(short)) == len(short):
        paths = [(name, path) for name, (_, path) in zip(short, paths, strict=True)]
    corpora = [(name, read_labelled(path, form, reading, ledger, note)) for name, path in paths]
    return parts_of(corpora), vectors


def _coverage(path: Path, parts: list[Part]) -> list[Finding]:
    from nertool.corpus.findings import Finding
    from nertool.embeddings.encoder import Encoder, coverage
    from nertool.embeddings.vectors import load_vectors

    encoder = Encoder(load_vectors(path, None).words, [])
    findings = []
    for part in parts:
        known = coverage(encoder, part.corpus)
        shown = ", ".join(f'"{word}"' for word in known.frequent_unknown)
        message = f"{part.name}: {path.name}: {known}" + (f" (most often {shown})" if shown else "")
        findings.append(Finding("coverage", known.share < 0.8, message, known.tokens[2]))
    return sorted(findings, key=lambda finding: not finding.serious)


def _print_json(parts: list[Part], findings: list[Finding]) -> None:
    from nertool.corpus.stats import stats as numbers_of

    print_json(
        {
            "passed": not any(finding.serious for finding in findings),
            "parts": [numbers_of(part) for part in parts],
            "findings": [finding.as_dict() for finding in findings],
        }
    )


def _print_text(parts: list[Part], findings: list[Finding]) -> None:
    from nertool.corpus.stats import as_text
    from nertool.corpus.stats import stats as numbers_of

    for part in parts:
        print(as_text(numbers_of(part)) + "\n")
    for serious, title in ((True, "Likely faults"), (False, "Worth a look")):
        own = [finding for finding in findings if finding.serious == serious]
        if not own:
            continue
        print(f"{title}:")
        for finding in own:
            print(f"  {finding.kind}: {finding.message}")
            for place in finding.places[:_SHOWN]:
                print(f"      {place}")
            if len(finding.places) > _SHOWN:
                print("      …")
    if not any(finding.serious for finding in findings):
        print("No likely fault found.")
