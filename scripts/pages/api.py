"""Generate docs/api.md, the reference of `import nertool`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from scripts.pages.architecture import plain

API_BEGIN = "<!-- Written by scripts/docs.py from the docstrings; change them there. -->"

API_END = "<!-- End of what scripts/docs.py writes. -->"


def api(text: str) -> str:
    """Return docs/api.md with the reference of `import nertool` between its two markers."""
    import nertool

    offered = [getattr(nertool, name) for name in nertool.__all__ if name != "__version__"]
    functions = [thing for thing in offered if inspect.isfunction(thing)]
    classes = [thing for thing in offered if inspect.isclass(thing)]
    parts = [_api_entry(f"nertool.{thing.__name__}", thing) for thing in functions]
    for thing in sorted(classes, key=lambda c: c.__name__ != "Tagger"):
        parts.append(f"### nertool.{thing.__name__}\n\n{_api_text(thing)}")
        for name, member in vars(thing).items():
            if name == "__call__" or not name.startswith("_"):
                parts += _api_member(thing.__name__, name, member)
    begin, end = text.index(API_BEGIN), text.index(API_END)
    return f"{text[:begin]}{API_BEGIN}\n\n{chr(10).join(parts)}\n{text[end:]}"


def _api_entry(name: str, function: Any, level: str = "###") -> str:
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    called = name if not name.endswith(".__call__") else name.removesuffix(".__call__")
    shown = re.sub(r"^\(self(?:, )?", "(", shown)
    return f"{level} {called}\n\n```text\n{called}{shown}\n```\n\n{_api_text(function)}"


def _api_member(owner: str, name: str, member: Any) -> Iterator[str]:
    named = f"{re.sub('(?<=[a-z])(?=[A-Z])', '_', owner).lower()}.{name}"
    if isinstance(member, property) or hasattr(member, "attrname"):  # the latter is a cached one
        yield f"- `{named}`: {plain(' '.join((member.__doc__ or '').split()))}\n"
    elif inspect.isfunction(member):
        yield _api_entry(named, member, "####")


def _api_text(thing: Any) -> str:
    """Return a docstring as Markdown. Indented lines stay an example."""
    return (inspect.getdoc(thing) or "").replace("<", "&lt;") + "\n"
