"""Compile the C files during installation, if there is a C compiler.

pyproject.toml names this file as a build hook; nothing in nertool imports it. The library has only plain C
functions, so it depends on no Python version, and it runs on any processor of the architecture. Its name
contains a hash of the sources, so that a library of other sources is never called. If it can't be compiled,
nertool is installed without it, and numpy does the same work more slowly.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The code uses neither errno nor traps. A product and a sum must not be fused: numpy rounds both.
FLAGS = ("-O3", "-std=c99", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
LINKED = ("-shared", "-fPIC", "-lm")


class KernelsHook(BuildHookInterface):  # type: ignore[type-arg]
    """A build hook that adds the library to a wheel, or to the source tree of an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the library. A wheel with the library is for this platform and any Python 3."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root) / "nertool" / "kernels"
        made = build(folder)
        if isinstance(made, str):
            self.app.display_warning(f"nertool is built without its compiled kernels: {made}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"/nertool/kernels/{made.name}")


def build(folder: Path) -> Path | str:
    """Compile the C files of a folder; return the path of the library, or the reason of a failure.

    Libraries of other sources in the folder are removed.
    """
    command = compiler()
    if command is None:
        return "found no C compiler"
    files = sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h"))
    sources = [str(path) for path in files if path.suffix == ".c"]
    # The same as sources_sum in library.py.
    name = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    target = folder / f"kernels-{name}.so"
    try:
        with tempfile.TemporaryDirectory(dir=folder) as room:
            made = Path(room) / target.name
            done = subprocess.run(
                [*command, *FLAGS, *sources, "-o", str(made), *LINKED],
                capture_output=True,
                text=True,
            )
            if done.returncode or not made.exists():
                said = done.stderr.strip() or "nothing"
                return f"{shlex.join(command)} ended with {done.returncode}, and said {said}"
            made.replace(target)
        for old in folder.glob("kernels-*.so"):
            if old != target:
                old.unlink()
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return target


def compiler() -> list[str] | None:
    """Return the command of the C compiler: $CC, or cc, gcc or clang; None if there is none."""
    if os.name != "posix":
        return None
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    return [found] if found else None
