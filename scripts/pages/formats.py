"""Generate parts of docs/formats.md: the table of formats, their samples, and what each format keeps."""

from __future__ import annotations

import ast
import re

from scripts.pages.architecture import PACKAGE_DIR, plain

FORMATS_BEGIN, FORMATS_END = "<!-- formats:begin -->", "<!-- formats:end -->"


def formats(text: str) -> str:
    """Return docs/formats.md with the table of formats, a sample of each, and what each keeps, between
    markers."""
    from nertool.catalogue import FORMATS

    rows = ["| format | read, written | what it is |\n|---|---|---|\n"]
    samples = []
    for known in FORMATS:
        names = ", ".join(f"`{name}`" for name in (known.name, *known.other_names))
        how = "both" if known.reads and known.writes else "read" if known.reads else "written"
        needs = f"; needs `pip install 'nertool[{known.extra}]'`" if known.extra else ""
        rows.append(f"| {names} | {how} | {plain(known.title)}{needs} |\n")
        path = PACKAGE_DIR / "formats" / (known.module.replace(".", "/") + ".py")
        first, _, rest = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition(
            "\n\n"
        )
        sample = re.match(r"```\n(.*?)\n```", rest, re.DOTALL)
        if sample:
            shown = sample[1].replace("<tab>", "\t")
            about = plain(" ".join(first.split()))
            samples.append(f"### {known.name}\n\n{about}\n\n```text\n{shown}\n```\n")
    table = f"{FORMATS_BEGIN}\n{''.join(rows)}\n## Samples\n\n{chr(10).join(samples)}{FORMATS_END}"
    return _between(
        _between(text, FORMATS_BEGIN, FORMATS_END, table), KEPT_BEGIN, KEPT_END, kept(text)
    )


def _between(text: str, begin: str, end: str, new: str) -> str:
    """Return a text with the part between two markers, and the markers themselves, replaced by `new`."""
    return text[: text.index(begin)] + new + text[text.index(end) + len(end) :]


KEPT_BEGIN, KEPT_END = "<!-- kept:begin -->", "<!-- kept:end -->"


def kept(text: str) -> str:
    """Return the table of what each format keeps, from round trips of a small text.

    The row of a format whose package is not installed is not changed.
    """
    from importlib.util import find_spec

    from nertool.catalogue import FORMATS
    from scripts.roundtrip import ASPECTS, row

    lines = [f"| format | {' | '.join(ASPECTS)} |\n|---|{'---|' * len(ASPECTS)}\n"]
    packages = {"": "json", "arrow": "pyarrow", "spacy": "spacy"}
    for known in FORMATS:
        if known.reads and known.writes:
            if find_spec(packages[known.extra]):
                lines.append(f"| `{known.name}` | {' | '.join(row(known))} |\n")
            else:
                old = re.search(
                    rf"^\| `{known.name}` \| (?:kept|left out|altered).*\n", text, re.MULTILINE
                )
                lines.append(old[0] if old else "")
    return f"{KEPT_BEGIN}\n{''.join(lines)}{KEPT_END}"
