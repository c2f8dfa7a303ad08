"""All pages: every link leads somewhere, every command runs, every cited line is in the code."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

from scripts.site import links

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks" / "README.md"])
BLOCK = re.compile(r"^( *)```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Their commands are run by tests of their own.
ELSEWHERE = {"cluster.md", "lesson.md", "onnx.md", "serving.md", "spacy.md", "tracking.md"}


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def slugs(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(text: str) -> list[tuple[str, str, str]]:
    """Return a page's code blocks as (language, title, code), unindented."""
    return [
        (language, title, re.sub(rf"^{indent}", "", code, flags=re.MULTILINE))
        for indent, language, title, code in BLOCK.findall(text)
    ]


def words_of(text: str) -> str:
    """Return a tagged text without its marks."""
    return re.sub(r"\[([^\]]*)\]\([A-Z_]+\)", r"\1", text).strip()


def shown_after(command: str, code: str) -> str:
    """Return the output that a console block shows after a command."""
    return code[code.index(f"$ {command}\n") + len(command) + 3 :].partition("\n$ ")[0]


def commands(language: str, code: str) -> list[str]:
    """Return the commands of a block: its lines, or those after $ where output stands between them."""
    if language == "console":
        return [line[2:] for line in code.splitlines() if line.startswith("$ ")]
    lines = code.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for text, target, anchor in links(page.read_text(encoding="utf-8")):
        if re.match(r"https?:", target):
            continue
        path = (page.parent / target).resolve()
        assert path.exists(), f"{page_id(page)}: [{text}]({target})"
        if anchor and path.suffix == ".md":
            found = slugs(path.read_text(encoding="utf-8"))
            assert anchor[1:] in found, f"{page_id(page)}: {target}{anchor}"


@pytest.fixture
def folder(tmp_path, started) -> Path:
    """A folder that `nertool init` made, with the files that the pages' examples name as the reader's own."""
    place = tmp_path / "new"
    shutil.copytree(started, place, ignore=shutil.ignore_patterns("runs"))
    quickstart = place / "configs" / "quickstart.yaml"
    quickstart.write_text(quickstart.read_text().replace("epochs: 12", "epochs: 1"))
    for part in ("train", "dev", "test"):
        shutil.copy(place / "data" / "support" / f"{part}.conll", place / f"{part}.conll")
    shutil.copy(place / "test.conll", place / "more.conll")
    (place / "text.txt").write_text("Harbor Backup 4.2.1 stops with error E-1043.\n")
    vectors = ["harbor 0.1 -0.2 0.3", "backup 0.2 0.1 -0.1", "stops -0.3 0.2 0.1"]
    (place / "glove.6B.50d.txt").write_text("\n".join(vectors) + "\n")
    return place


def expanded(words: list[str], cwd: Path) -> list[str]:
    """Replace patterns by the files that fit them, as a shell does."""
    found = [sorted(str(path) for path in cwd.glob(word)) if "*" in word else [] for word in words]
    return [name for word, own in zip(words, found, strict=True) for name in own or [word]]


def quick(words: list[str]) -> list[str]:
    """Return a command's words with less to do: fewer epochs, vectors and samples."""
    if words[0] in ("train", "sweep", "distil", "learning-curve"):
        words = [*words, "--set", "training.epochs=1", "--set", "network.hidden=8"]
        words += ["--set", "network.members=1", "--set", "first_stage.folds=0"]
        seeds = words[0] in ("sweep", "learning-curve")
        words += ["--seeds", "1"] if seeds else ["--workers", "1"]
        words = ["1s" if word == "30s" else word for word in words]  # --budget
    if words[0] == "gradcheck":
        words = [*words, "--samples", "2", "--windows", "4"]
    return words


MAKE = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MARKERS = ("integration", "slow")


def check_other(words: list[str]) -> None:
    """Check a command that a test can't run, as it would install something or run the tests themselves."""
    if words[0] == "make":
        assert set(words[1:]) <= MAKE, words
    elif words[0] == "pip":
        for extra in re.findall(r"\[([\w,]+)\]", " ".join(words)):
            assert set(extra.split(",")) <= set(PROJECT["optional-dependencies"]), words
    elif words[0] in ("python", "python3") and words[1].endswith(".py"):
        assert (ROOT / words[1]).is_file(), words
    elif words[0] == "pytest":
        paths = [word for word in words[1:] if not word.startswith("-") and word not in MARKERS]
        assert all((ROOT / path).exists() for path in paths), words
    else:
        known = (["python3", "-m", "venv"], [".", ".venv/bin/activate"], ["pre-commit", "install"])
        assert any(words[: len(start)] == start for start in known), f"not known here: {words}"


TRAIN = "train configs/quickstart.yaml"


def run(line: str, main, cwd: Path, started: Path) -> str:
    """Run one line of a page: commands joined by &&, each perhaps with an echo or cat before it.

    Returns what the last one wrote. Most pages begin with the same training: it is copied.
    """
    out = ""
    for command in re.split(r" && ", line):
        stdin, last = "", command
        if (piped := re.fullmatch(r"(echo|cat) (.+?) \| (.+)", command)) is not None:
            words = shlex.split(piped[2])
            stdin = (
                " ".join(words) + "\n"
                if piped[1] == "echo"
                else "".join((cwd / w).read_text() for w in words)
            )
            last = piped[3]
        words = shlex.split(last)
        if words[0] != "nertool":
            check_other(words)
            continue
        if words[1:] == TRAIN.split():
            shutil.copytree(started / "runs", cwd / "runs", dirs_exist_ok=True)
            continue
        done = main(*quick(expanded(words[1:], cwd)), stdin=stdin, cwd=cwd)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        out = done.stdout
    return out


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in ELSEWHERE], ids=page_id
)
def test_every_command_runs_in_its_order(page, folder, started, main, monkeypatch, in_this_process):
    monkeypatch.chdir(folder)
    in_this_process()
    for language, title, code in blocks(page.read_text(encoding="utf-8")):
        if title:
            (folder / title).write_text(code, encoding="utf-8")
        if language in ("sh", "console"):
            for line in commands(language, code):
                out = run(line, main, folder, started)
                if language == "console" and " predict " in line:
                    # Trained for one epoch, the model finds other entities; the words are the same.
                    assert words_of(out) == words_of(shown_after(line, code)), line
        elif language == "python":
            exec(compile(code, page_id(page), "exec"), {"__name__": "example"})


def test_the_pages_have_commands_to_run():
    found = [
        line
        for page in PAGES
        for language, _, code in blocks(page.read_text(encoding="utf-8"))
        if language in ("sh", "console")
        for line in commands(language, code)
    ]
    assert sum("nertool " in line for line in found) > 30


def test_every_page_is_in_the_navigation_of_the_site():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/*.md"):
        assert f" {page.name}\n" in text, f"mkdocs.yml: {page.name} is not in nav"


MATHEMATICS = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
LINKED = re.compile(r"\[`(\w+)` in ([\w/.]+)\]\(\.\./([\w/.]+)\)")


def source_of(path: Path, name: str) -> str:
    """Return the source of a function of a file."""
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return ast.get_source_segment(text, node) or ""
    raise AssertionError(f"{path} has no {name}")


def test_every_line_of_code_in_the_mathematics_is_in_the_function_beside_it():
    seen = 0
    for line in MATHEMATICS.splitlines():
        for name, shown, linked in LINKED.findall(line):
            assert shown == linked
            source = source_of(ROOT / linked, name)
            if not line.startswith("|"):
                continue
            before = line[: line.index(f"[`{name}`")]
            for code in re.findall(r"`([^`]+)`", before.rsplit("|", 1)[-1]):
                assert code in source, f"docs/mathematics.md: {linked}: {name} has no line {code}"
                seen += 1
    assert seen >= 10


def test_the_batch_code_in_the_mathematics_is_in_the_scorer():
    table = MATHEMATICS[MATHEMATICS.index("| equation, one example |") :].split("\n\n")[0]
    scorer = (ROOT / "nertool" / "network" / "scorer.py").read_text(encoding="utf-8")
    codes = re.findall(r"`([^`]+)`", table)
    assert len(codes) == 5
    for code in codes:
        assert code in scorer, code


def test_the_count_of_known_mistakes_is_right():
    from nertool.gradcheck.mistakes import MISTAKES

    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    counts = re.findall(r"(\d+) known mistakes", text)
    assert counts == [str(len(MISTAKES))]
