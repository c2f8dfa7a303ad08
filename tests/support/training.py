"""Train several networks without separate processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from nertool.training import run
from nertool.training.experiments import crossvalidation, learning_curve, sweep
from nertool.training.parallel.pool import Piece
from tests.support.helpers import Death


def pieces_in_this_process(patch: pytest.MonkeyPatch, last: int | None = None) -> None:
    """Run pieces one after another in this process, and raise Death at the record with number `last`."""
    sent = 0

    def one_by_one(pieces: Sequence[Piece], workers: int) -> Iterator[tuple[str, Any]]:
        for piece in pieces:
            records: list[Any] = []

            def send(record: Any, records: list[Any] = records) -> None:
                nonlocal sent
                sent += 1
                if sent == last:
                    raise Death
                records.append(record)

            piece.run(*piece.arguments, send)
            yield from ((piece.name, record) for record in records)

    for module in (run, sweep, learning_curve, crossvalidation):
        patch.setattr(module, "run_pieces", one_by_one)
