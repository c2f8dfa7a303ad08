"""Run a predict request: tag all inputs, and write one output for all of them or one for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from nertool.catalogue import Format
from nertool.corpus.annotated import Annotated
from nertool.corpus.ledger import Ledger
from nertool.errors import CorpusError
from nertool.files.encodings import as_utf8
from nertool.files.output import open_binary_output, open_output, scratch_file
from nertool.formats.base import Writing
from nertool.formats.opening import Report, open_text
from nertool.formats.standoff.brat import write_beside
from nertool.formats.write import write_output
from nertool.model.model import Model
from nertool.predict.output import UnreadableError, guarded, joined_texts, kept_in
from nertool.predict.paths import (
    Input,
    check_outputs,
    expand,
    is_beside,
    is_inside,
    may_be_binary,
    output_path,
)
from nertool.predict.request import PredictRequest
from nertool.predict.tag import Tagged, tag_input
from nertool.predict.tasks.column_records import Numbers
from nertool.predict.workers import Workers
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.rules import read_rules


class Files(NamedTuple):
    """The inputs of a request, and with --out-dir the output of each input."""

    inputs: list[Input]
    outputs: list[Path]


def find_files(request: PredictRequest, folders: bool = False) -> Files:
    """Find a request's inputs and outputs.

    folders: whether folders may be named if there is only one output. Errors: CorpusError for inputs that do
    not exist, and for outputs that would replace an input or each other, or are outside of --out-dir.
    """
    out_dir = request.out_dir
    to = request.to_format
    beside = out_dir is not None and to is not None and to.name == "brat"
    folders = folders or out_dir is not None
    inputs = expand(request.inputs, request.format_name, folders, beside)
    if out_dir is not None:
        outputs = [output_path(out_dir, entry, request.format_name, to) for entry in inputs]
    else:
        named = request.output is not None and str(request.output) != "-"
        outputs = [request.output] if named and request.output else []
    check_outputs(outputs, inputs, out_dir)
    return Files(inputs, outputs)


def predict(
    model: Model, request: PredictRequest, files: Files, ledger: Ledger, report: Report
) -> None:
    """Tag the files of a request.

    request.on_error determines whether an input that can't be read stops the run or is entered in the ledger
    as refused. Errors: CorpusError with file:line; OSError for an output that can't be written.
    """
    tagger = CompiledTagger(model)
    if request.rules:
        tagger.rules = read_rules(
            request.rules, model.labels, model.config.decoding.scheme, model.tags, report
        )
    with Workers(tagger, request.workers) as workers:
        run = _Run(request, workers, ledger, report)
        try:
            if request.out_dir is None:
                run.into_one(files.inputs)
            else:
                run.into_folder(files, request.out_dir)
        except UnreadableError as fault:
            raise fault.error from None


class _Run(NamedTuple):
    """A running request."""

    request: PredictRequest
    workers: Workers
    ledger: Ledger
    report: Report

    def into_one(self, inputs: list[Input]) -> None:
        """Write the results of all inputs to one output, in order."""
        to, output = self.request.to_format, self.request.output
        results = self._all(inputs)
        if to is None and not self.request.to_stdout and any(map(may_be_binary, inputs)):
            # The first input determines the format of the output.
            first = next(results, None)
            to = None if first is None else first.format
            results = chain([] if first is None else [first], results)
        if to is None or to.container == "text":
            with open_output(output) as out:
                out.writelines(joined_texts(results, self.ledger))
            return
        first = next(results, None)
        begun = [] if first is None else [first]
        pieces = chain.from_iterable(_pieces_for(to, result) for result in chain(begun, results))
        writing = Writing() if first is None else first.writing
        write_output(to, pieces, writing, self.ledger, output)

    def into_folder(self, files: Files, out_dir: Path) -> None:
        """Write each input's result into a folder. Outputs that exist already are not changed."""
        there = [path.exists() for path in files.outputs]
        if any(there):
            self.report(
                f"{out_dir}: {sum(there):,} of {len(there):,} files exist already, and are left unchanged"
            )
        for entry, path, done in zip(*files, there, strict=True):
            if done:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if not is_inside(path, out_dir):  # a link was created after the first check
                raise CorpusError(
                    f"{path}: found a place outside {out_dir}; choose another --out-dir"
                )
            try:
                if is_beside(entry, self.request.to_format):
                    self._write_beside(entry, path)
                    continue
                with self._opened(entry) as tagged:
                    self._write(tagged, path)
            except UnreadableError as fault:
                self._refuse(fault.path, fault.error)
            except CorpusError as error:  # the writer can't write these records
                self._refuse(entry.path, error)

    def _write_beside(self, entry: Input, path: Path) -> None:
        """Write a text's entities into an .ann file, and an exact copy of the text next to it.

        Errors: UnreadableError for an input that is not running text, CorpusError if another text is in the
        place of the copy.
        """
        source, copy = entry.path, path.with_suffix(".txt")
        try:
            raw = as_utf8(source.read_bytes(), self.request.reading.encoding, str(source))
            with open_text(source, self.request.format_name, self.request.reading) as opened:
                if opened.format.labelled and opened.format.container != "folder":
                    raise CorpusError(
                        f"{source}: found {opened.format.title}, expected running text, beside which an "
                        ".ann file can stand; --from raw takes it as that, and --to brat -o FOLDER "
                        "writes its text anew"
                    )
        except (CorpusError, OSError) as error:
            raise UnreadableError(source, error) from None
        if copy.exists() and copy.read_bytes() != raw:
            raise CorpusError(
                f"{copy}: found another text than {source}, expected no file or the same text; choose "
                "another --out-dir"
            )
        running = self._replace(request=replace(self.request, format_name="raw"))
        with running._opened(entry) as tagged, open_output(path) as out:
            marked = raw.startswith(b"\xef\xbb\xbf")
            out.writelines(write_beside(tagged.pieces or (), self.ledger, marked))
        if not copy.exists():
            with open_binary_output(copy) as stream:
                stream.write(raw)

    def _write(self, tagged: Tagged, path: Path) -> None:
        if tagged.texts is not None:
            with open_output(path) as out:
                out.writelines(tagged.texts)
        else:
            write_output(tagged.format, tagged.pieces or (), tagged.writing, self.ledger, path)

    def _all(self, inputs: Iterable[Input]) -> Iterator[Tagged]:
        """Yield each input's result.

        With on_error "skip", a result is complete before it is yielded. So nothing is written of an input
        that can't be read to its end.
        """
        numbers = Numbers()
        for entry in inputs:
            if self.request.on_error == "fail":
                with self._opened(entry, numbers) as tagged:
                    yield tagged
                continue
            with scratch_file() as file:
                try:
                    with self._opened(entry, numbers) as tagged:
                        complete = kept_in(file, tagged)
                except UnreadableError as fault:
                    self._refuse(fault.path, fault.error)
                    continue
                yield complete

    @contextmanager
    def _opened(self, entry: Input, numbers: Numbers | None = None) -> Iterator[Tagged]:
        """Open and tag an input. numbers: as in tag_input.

        Errors: UnreadableError, also while the result is iterated.
        """
        comment = self.request.reading.comment or self.workers.tagger.model.config.corpus.comment
        reading = replace(self.request.reading, comment=comment)
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(
                    open_text(entry.path, self.request.format_name, reading)
                )
                tagged = tag_input(
                    opened, self.request, self.workers, self.ledger, self.report, numbers
                )
            except (CorpusError, OSError) as error:
                raise UnreadableError(entry.path, error) from None
            yield tagged._replace(
                texts=guarded(entry.path, tagged.texts),
                pieces=guarded(entry.path, tagged.pieces),
            )

    def _refuse(self, path: Path, error: CorpusError | OSError) -> None:
        """Enter an input in the ledger as refused, and report the reason; with on_error "fail", raise it."""
        if self.request.on_error == "fail":
            raise error
        self.ledger.refuse(str(path), "files that could not be read", str(error))
        self.report(f"left out: {' '.join(str(error).split())}")


def _pieces_for(to: Format, result: Tagged) -> Iterable[Annotated]:
    """Return a result's pieces. Errors: CorpusError for a result of another format than the output's."""
    if result.pieces is None or result.format != to:
        raise CorpusError(
            f"found inputs that are written as {to.name} and as {result.format.name}, expected one output "
            "in one format; choose it by --to, or give --out-dir"
        )
    return result.pieces
