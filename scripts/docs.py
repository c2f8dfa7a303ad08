"""Write the generated documentation: parts of docs/, and the config's reference.

Run it after adding a file or a config key, or changing a help text.

  python scripts/docs.py            write docs/architecture.md's lists of files, docs/commands.md,
                                    docs/formats.md, docs/api.md, docs/config.md, docs/play.html,
                                    configs/reference.yaml and configs/schema.json
  python scripts/docs.py --check    exit 1, and name the files, if one of them is stale
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.pages.api import api
from scripts.pages.architecture import ARCHITECTURE, ROOT, architecture
from scripts.pages.commands import commands
from scripts.pages.formats import formats

COMMANDS = ROOT / "docs" / "commands.md"


# ------------------------------------------------------------ the command line


# ------------------------------------------------------------ the Python API


def play(_: str) -> str:
    """Return docs/play.html: the templates of nertool/explain with the numbers of docs/play-model.json."""
    from nertool.explain.play import play_page

    numbers = json.loads((ROOT / "docs" / "play-model.json").read_text(encoding="utf-8"))
    return play_page(numbers, lesson="lesson/") + "\n"


WRITTEN: dict[Path, Callable[[str], str]] = {
    ARCHITECTURE: architecture,
    COMMANDS: commands,
    ROOT / "docs" / "formats.md": formats,
    ROOT / "docs" / "api.md": api,
}


def written() -> dict[Path, Callable[[str], str]]:
    """Return each generated file, with the function from its old text to its new one."""
    from nertool.config.reference import generated_files

    of_config = {ROOT / name: write for name, write in generated_files().items()}
    return {**WRITTEN, **of_config, ROOT / "docs" / "play.html": play}


def stale() -> dict[Path, str]:
    """Return the files that are not current, each with its new text."""
    out = {}
    for path, write in written().items():
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (new := write(old)) != old:
            out[path] = new
    return out


def main() -> int:
    """Write the files that are not current, or with --check print their names; return the exit code."""
    parser = argparse.ArgumentParser(
        description="Write the parts of docs/ that follow from the code."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file is stale"
    )
    check = parser.parse_args().check
    found = stale()
    for path, text in found.items():
        said = "is not current; run python scripts/docs.py" if check else "written"
        print(f"{path.relative_to(ROOT)}: {said}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
