"""`nertool corpus check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    AsJson,
    print_json,
)
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.corpus.texts import Inputs, read_parts

if TYPE_CHECKING:
    from nertool.corpus.parts.part import CorpusPart
    from nertool.doctor.findings import Finding
    from nertool.formats.labelled import ReadingOptions

_SHOWN = 3  # places of a finding that are printed; --json and --report have more


@with_reading_options(misaligned="drop")
def check(
    inputs: Inputs,
    options: ReadingOptions,
    vectors: Annotated[
        Path | None, typer.Option(help="Word vectors: report how many words have one.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a likely fault is found.")
    ] = False,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Find faults in labelled texts before training.

    It reports invalid tags, phrases with several classes, sentences that are in more than one part, unusual
    characters, and parts that are labelled in different ways.

    Examples:
        nertool corpus check train.conll dev.conll test.conll
        nertool corpus check config.yaml --json
    """
    from nertool.doctor.check import check as find

    with account(report, *inputs) as ledger:
        parts, vectors_path = read_parts(inputs, options, ledger)
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


def _coverage(path: Path, parts: list[CorpusPart]) -> list[Finding]:
    from nertool.doctor.findings import Finding
    from nertool.inputs.encoder import Encoder, coverage
    from nertool.vectors.files.load import load_vectors

    encoder = Encoder(load_vectors(path, None).words, [])
    findings = []
    for part in parts:
        known = coverage(encoder, part.corpus)
        shown = ", ".join(f'"{word}"' for word in known.frequent_unknown)
        message = f"{part.name}: {path.name}: {known}" + (f" (most often {shown})" if shown else "")
        findings.append(Finding("coverage", known.share < 0.8, message, known.tokens[2]))
    return sorted(findings, key=lambda finding: not finding.serious)


def _print_json(parts: list[CorpusPart], findings: list[Finding]) -> None:
    from nertool.corpus.parts.stats import stats as numbers_of

    print_json(
        {
            "passed": not any(finding.serious for finding in findings),
            "parts": [numbers_of(part) for part in parts],
            "findings": [finding.as_dict() for finding in findings],
        }
    )


def _print_text(parts: list[CorpusPart], findings: list[Finding]) -> None:
    from nertool.corpus.parts.stats import as_text
    from nertool.corpus.parts.stats import stats as numbers_of

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
