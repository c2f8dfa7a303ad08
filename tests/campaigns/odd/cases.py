"""All odd files."""

from __future__ import annotations

from tests.campaigns.odd import columns, files, records, tables, tools
from tests.campaigns.odd.case import Odd

CASES: tuple[Odd, ...] = (
    *columns.LAYOUTS,
    *columns.TAGS,
    *records.RECORDS,
    *tables.TABLES,
    *tools.TOOLS,
    *files.FILES,
)
