"""Compile the kernels with AddressSanitizer and UndefinedBehaviorSanitizer, and run the tests of the kernels,
the network and the tagger with them: no access out of bounds, no undefined behaviour.

Needs gcc, or clang with CC=clang, and its sanitizers' libraries.

python -m tests.campaigns.sanitize
python -m tests.campaigns.sanitize tests/predict        other tests
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nertool.kernels.library import sources_sum
from tests.campaigns.common import ENVIRONMENT, ROOT, Tally

_TESTS = ["tests/kernels", "tests/network", "tests/tagging"]
_CHECKS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g", "-O1"]


def main() -> None:
    """Run the tests in a copy of the project that has the checked library in place of the usual one."""
    tests = sys.argv[1:] or _TESTS
    tally = Tally("sanitize")
    with tempfile.TemporaryDirectory(prefix="nertool-sanitize-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".*", "kernels-*.so", "__pycache__", "site")
        )
        kernels = copy / "nertool" / "kernels"
        library = kernels / f"kernels-{sources_sum(kernels)}.so"
        compiler = shlex.split(os.environ.get("CC", "gcc"))
        subprocess.run(
            [
                *compiler,
                "-shared",
                "-fPIC",
                "-fopenmp-simd",
                *_CHECKS,
                *sorted(kernels.glob("*.c")),
                "-o",
                library,
                "-lm",
            ],
            check=True,
        )
        runtime = subprocess.run(
            [*compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
        ).stdout.strip()
        environment = {
            **ENVIRONMENT,
            "PYTHONPATH": os.pathsep.join(
                [str(copy), *ENVIRONMENT["PYTHONPATH"].split(os.pathsep)[1:]]
            ),
            "LD_PRELOAD": runtime,
            # Python keeps much until its end: that is no leak. Its own allocator would hide small faults.
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONMALLOC": "malloc",
        }
        check = (
            "import nertool, nertool.kernels.library as k; "
            f"assert k.compiled() and nertool.__file__.startswith({str(copy)!r})"
        )
        subprocess.run([sys.executable, "-c", check], env=environment, check=True, cwd=copy)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-p", "no:cacheprovider", *tests],
            env=environment, cwd=copy, timeout=3000, capture_output=True, text=True, check=False,
        )  # fmt: skip
    passed = sum(map(int, re.findall(r"(\d+) passed", done.stdout)))
    failed = sum(map(int, re.findall(r"(\d+) (?:failed|error)", done.stdout)))
    for _ in range(passed):
        tally.count("")
    for sign in ("AddressSanitizer", "runtime error"):
        if sign in done.stderr + done.stdout:
            failed += 1
    if done.returncode or failed:
        tally.count(f"exit code {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    sys.exit(tally.end())


if __name__ == "__main__":
    main()
