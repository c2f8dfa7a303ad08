"""Faulty input of every kind, with the command that meets it and the line that it must say."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field

LABELLED = b"Ada B-PER\nmet O\nParis B-LOC\n\n"


BAD_VECTORS = {
    "nan": (b"3 2\nada 1 2\nmet nan 1\nparis 1 1\n", ":3: found NaN or infinity"),
    "infinity": (b"ada 1 2\nmet 1 1e99\n", ":2: found NaN or infinity"),
    "more-promised": (b"4 2\nada 1 2\nmet 2 1\nparis 1 1\n", "as the header promises"),
    "fewer-promised": (b"2 2\nada 1 2\nmet 2 1\nparis 1 1\n", "that the header promises"),
    "other-width-promised": (
        b"3 4\nada 1 2\nmet 2 1\nparis 1 1\n",
        ":1: found a header that promises",
    ),
    "ragged": (b"ada 1 2 3\nmet 2 1\nparis 1 1 0\n", ":2: found"),
    "not-a-number": (b"ada 1 2\nmet 1 x\n", ":2: "),
    "binary-cut-off": (b"2 3\nada " + bytes(12) + b"met " + bytes(5), "cut off"),
    "gzip-cut-off": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "cut off"),
    "empty": (b"", "an empty file"),
    "white-space": (b"\n  \n", "an empty file"),
    "header-alone": (b"3 2\n", "expected them to follow"),
    "pickle": (pickle.dumps({"ada": [1.0, 2.0]}, protocol=4), "a Python pickle"),
    "web-page": (b"<!DOCTYPE html><html></html>\n", "a web page"),
    "labelled-text": (LABELLED, "vec: "),
}


# A config for the tiny data and one line more, from which a case's fault comes.
TRAIN = ("train", "config.yaml", "--run-dir", "new")


@dataclass(frozen=True)
class Case:
    """Files laid into the working folder (None takes one away), a command, and what it says.

    says: what the last line on stderr begins with (after "nertool: " or "Error: "), and holds.
    """

    name: str
    command: tuple[str, ...]
    begins: str
    holds: str = ""
    files: dict[str, bytes | None] = field(default_factory=dict)
    stdin: bytes = b""
    code: int = 1


def config_case(name: str, text: bytes, begins: str, holds: str = "") -> Case:
    return Case(f"config-{name}", ("train", "bad.yaml"), begins, holds, {"bad.yaml": text})


def corpus_case(name: str, content: bytes | None, begins: str, holds: str, *extra: str) -> Case:
    sets = tuple(part for override in extra for part in ("--set", override))
    return Case(f"corpus-{name}", (*TRAIN, *sets), begins, holds, {"train.conll": content})


def model_case(name: str, files: dict[str, bytes | None], begins: str, holds: str) -> Case:
    return Case(f"model-{name}", ("evaluate", "model", "dev.conll"), begins, holds, files)


def misuse(name: str, *command: str, holds: str) -> Case:
    return Case(f"misuse-{name}", command, "", holds, code=2)


CASES = [
    # Configs
    Case("config-missing", ("train", "confg.yaml"), "confg.yaml: no such", '"config.yaml"'),
    Case("config-in-no-folder", ("train", "no/config.yaml"), "no/config.yaml: no such"),
    Case("config-below-a-file", ("train", "dev.conll/a.yaml"), "dev.conll/a.yaml: "),
    Case("config-is-a-folder", ("train", "run"), "run: "),
    config_case("empty", b"", "bad.yaml: found an empty file"),
    config_case("white-space", b"\n   \n\n", "bad.yaml: found an empty file"),
    config_case("unknown-key", b"seed: 1\ntraning: {}\n", "bad.yaml:2: ", '"training"'),
    config_case("unknown-key-inside", b"training:\n  alhpa: 1\n", "bad.yaml:2: ", "alpha"),
    config_case("wrong-type", b"training: {epochs: ten}\n", "bad.yaml:1: training.epochs: "),
    config_case("even-window", b"windows:\n  size: 4\n", "bad.yaml:2: windows.size: ", "odd"),
    config_case("not-yaml", b"seed: 1\ntraining: {epochs: 2\n", "bad.yaml:3: not YAML"),
    config_case("not-utf-8", b"corpus: {train: caf\xe9.conll}\n", "bad.yaml: ", "UTF-8"),
    config_case("key-twice", b"seed: 1\nseed: 2\n", "bad.yaml:2: ", "a second time"),
    config_case("no-corpus", b"seed: 1\n", "corpus.train is not set"),
    config_case("path-with-a-nul", b'corpus: {train: "a\\0b"}\n', "bad.yaml:1: corpus.train: "),
    # Corpora
    corpus_case("missing", None, "train.conll: no such file", "corpus.train"),
    corpus_case("misspelt", LABELLED, "tain.conll: no such", '"train.conll"', "corpus.train=tain.conll"),
    corpus_case("is-a-model", LABELLED, "run: found the folder of", "corpus.train", "corpus.train=run"),
    corpus_case("below-a-file", LABELLED, "dev.conll/x: ", "a part", "corpus.train=dev.conll/x"),
    corpus_case("empty", b"", "train.conll: found no token", "a word and its tag"),
    corpus_case("white-space", b"\n \n\t\n\n", "train.conll: found no token", "a word and its tag"),
    corpus_case("no-token", b"-DOCSTART- O\n\n", "train.conll: found no token", "its tag"),
    corpus_case("one-column", b"Ada\nmet\n\n", "train.conll: found 1 column", "a column of tags"),
    corpus_case("column-beyond", LABELLED, "train.conll: ", "corpus.tag_column", "corpus.tag_column=2"),
    corpus_case("ragged", b"Ada B-PER\nmet\n", "train.conll:2: found 1 column, expected 2", "missing"),
    corpus_case("blank-in-word", b"Ada B-PER\nNew York O\n", "train.conll:2: found 3 columns", "blank"),
    corpus_case("not-utf-8", b"Ada B-PER\n\nZo\xeb B-PER\n", "train.conll:3: ", "0xeb"),
    corpus_case("utf-16", "Ada B-PER\n".encode("utf-16-le"), "train.conll: found text in UTF-16", "UTF-8"),
    corpus_case("prefix-alone", b"Ada B-PER\nmet B-\n", 'train.conll:2: found the tag "B-"', "label"),
    corpus_case("empty-tag", b"Ada\tB-PER\nmet\t\n", 'train.conll:2: found the tag ""', "label"),
    corpus_case("empty-word", b"Ada\tB-PER\n\tO\n", "train.conll:2: found an empty word", "token"),
    corpus_case("no-entity", b"all O\nday O\n", "train.conll: found no entity", "corpus.tag_column"),
    corpus_case("other-scheme", b"Ada S-PER\n", "train.conll:1: ", "scheme iob2", "corpus.scheme=iob2"),
    Case(
        "dev-missing", (*TRAIN, "--set", "corpus.dev=dv.conll"), "dv.conll: no such", "dev.conll"
    ),
    Case(
        "dev-with-another-label",
        TRAIN,
        'dev.conll:3: found the label "PERS"',
        'did you mean "PER"?',
        {"dev.conll": b"all O\n\nAda B-PERS\n"},
    ),
    Case("dev-empty", TRAIN, "dev.conll: found no token", "", {"dev.conll": b""}),
    # Vectors
    Case("vectors-missing", TRAIN, "vectors.txt: found no such", "", {"vectors.txt": None}),
    Case("vectors-folder", (*TRAIN, "--set", "vectors.path=run"), "run: found a folder"),
    *(
        Case(f"vectors-{name}", (*TRAIN, "--set", "vectors.path=bad.vec"), "bad.vec", says, {"bad.vec": text})
        for name, (text, says) in BAD_VECTORS.items()
    ),
    # Run folders
    Case("run-exists", ("train", "config.yaml", "--run-dir", "run"), "run: found a run", "--resume"),
    Case("run-is-a-file", ("train", "config.yaml", "--run-dir", "dev.conll"), "dev.conll: found a file"),
    Case(
        "run-is-a-file-to-overwrite",
        ("train", "config.yaml", "--run-dir", "dev.conll", "--overwrite"),
        "dev.conll: found a file",
    ),
    Case("run-below-a-file", ("train", "config.yaml", "--run-dir", "dev.conll/r"), "dev.conll: found a file"),
    Case("prepare-into-a-file", ("prepare", "config.yaml", "--run-dir", "dev.conll"),
         "dev.conll: found a file"),
    Case("sweep-below-a-file", ("sweep", "config.yaml", "--run-dir", "dev.conll"), "dev.conll: found a file"),
    Case(
        "run-with-strange-files",
        ("train", "config.yaml", "--run-dir", "mine"),
        "mine: found thesis.tex in it",
        files={"mine/thesis.tex": b"Chapter 1\n"},
    ),
    Case(
        "run-with-strange-files-to-overwrite",
        ("train", "config.yaml", "--run-dir", "mine", "--overwrite"),
        "mine: found thesis.tex in it",
        files={"mine/thesis.tex": b"Chapter 1\n"},
    ),
    Case(
        "overwrite-by-a-bad-corpus",
        ("train", "config.yaml", "--run-dir", "run", "--overwrite"),
        "train.conll:1: ",
        files={"train.conll": b"Ada B-\n"},
    ),
    Case(
        "prepared-inputs-stale",
        ("train", "config.yaml", "--run-dir", "prepared-only"),
        "prepared-only/prepared: stale",
        "nertool prepare config.yaml --run-dir prepared-only",
        {"train.conll": LABELLED},
    ),
    Case("prepare-below-a-file", ("prepare", "config.yaml", "--run-dir", "dev.conll/r"), "dev.conll"),
    Case("resume-nothing", ("train", "config.yaml", "--resume"), "runs/config: found no config.yaml"),
    Case("resume-a-file", ("train", "config.yaml", "--run-dir", "dev.conll", "--resume"), "dev.conll: "),
    Case(
        "resume-another-config",
        ("train", "config.yaml", "--run-dir", "run", "--resume", "--set", "network.hidden=9"),
        "run: the run was started with another network.hidden",
    ),
    Case(
        "resume-with-another-corpus",
        ("train", "config.yaml", "--run-dir", "run", "--resume"),
        "run/prepared: stale",
        "corpus.train",
        {"train.conll": LABELLED},
    ),
    Case(
        "resume-a-cut-off-state",
        ("train", "config.yaml", "--run-dir", "run", "--resume"),
        "run/last/state.safetensors: cut short",
        files={"run/last/state.safetensors": b"\x10"},
    ),
    # Models
    Case("model-missing", ("evaluate", "modl", "dev.conll"), "modl: no such folder"),
    Case("model-is-a-file", ("evaluate", "dev.conll", "dev.conll"), "dev.conll: found a file"),
    Case("model-in-no-model", ("predict", "prepared-only", "-"), "prepared-only: ", "not finished"),
    Case("model-with-a-line-break", ("predict", "no\nsuch", "-"), "no\\nsuch: no such folder"),
    model_case("not-json", {"model/model.json": b"{'a': 1}"}, "model/model.json: ", "not JSON"),
    model_case("json-cut-off", {"model/model.json": b'{"format": "nert'}, "model/model.json: ", "JSON"),
    model_case(
        "of-another-version",
        {"model/model.json": b'{"format": "nertool model", "version": 99}'},
        "model/model.json: found model version 99",
        "nertool release",
    ),
    model_case("of-others", {"model/model.json": b"{}"}, "model/model.json: ", "no nertool model"),
    model_case("header-missing", {"model/model.json": None}, "model: found no model.json", ""),
    model_case("arrays-missing", {"model/model.safetensors": None}, "model/model.safetensors: ", "missing"),
    model_case("arrays-empty", {"model/model.safetensors": b""}, "model/model.safetensors: ", "cut"),
    model_case("words-missing", {"model/vocabulary.0.txt": None}, "model/vocabulary.0.txt: missing", ""),
    model_case("words-of-another", {"model/vocabulary.0.txt": b"a\n"}, "model/vocabulary.0.txt: ", "SHA-256"),
    # Texts to tag
    Case("text-missing", ("predict", "run", "dv.conll"), "dv.conll: no such file", '"dev.conll"'),
    Case("text-is-a-folder", ("predict", "run", "model"), "model: found a folder"),
    Case("second-text-missing", ("predict", "run", "dev.conll", "b", "-o", "out"), "b: no such file"),
    Case(
        "text-ragged",
        ("predict", "run", "bad.conll", "-o", "out", "--format", "conll"),
        "bad.conll:3: found 3 columns, expected 2",
        files={"bad.conll": b"Ada O\n\nNew York O\n"},
    ),
    Case(
        "stdin-ragged",
        ("predict", "run", "-", "-o", "out", "--format", "conll"),
        "<stdin>:2: found 1 column, expected 2",
        stdin=b"Ada O\nNew\n",
    ),
    Case(
        "text-not-utf-8-over-an-old-output",
        ("predict", "run", "bad.txt", "-o", "old.txt"),
        "bad.txt:2: found the byte 0xe9",
        files={"bad.txt": b"Ada met Charles .\ncaf\xe9\n", "old.txt": b"precious\n"},
    ),
    Case("text-column-beyond", ("predict", "run", "dev.conll", "--token-column", "5"), "dev.conll: "),
    Case("output-is-a-folder", ("predict", "run", "dev.conll", "-o", "model"), "model: found a folder"),
    Case("output-in-no-folder", ("predict", "run", "dev.conll", "-o", "no/out"), "no: no such folder"),
    Case("output-below-a-file", ("predict", "run", "dev.conll", "-o", "train.conll/o"), "train.conll: "),
    Case("gold-missing", ("evaluate", "run", "gold.conll"), "gold.conll: no such file"),
    Case("gold-is-a-model", ("evaluate", "run", "model"), "model: found the folder of a model"),
    Case("gold-empty", ("evaluate", "run", "-"), "<stdin>: found no token"),
    Case("gold-without-tags", ("evaluate", "run", "-"), "<stdin>: found ", "no labels here", stdin=b"Ada\n"),
    Case("gold-tag-slip", ("evaluate", "run", "-"), "<stdin>:1: ", '"I-"', stdin=b"Ada I-\n"),
    Case("gold-not-utf-8", ("evaluate", "run", "-"), "<stdin>:1: ", "0xff", stdin=b"\xff O\n"),
    # The rest
    Case("gradcheck-missing", ("gradcheck", "modl"), "modl: no such file or folder", 'did you mean "model"?'),
    Case("gradcheck-no-entity", ("gradcheck", "config.yaml"), "train.conll: found no entity", "",
         {"train.conll": b"all O\n"}),
    Case("batch-missing", ("gradcheck", "--batch", "b.st"), "b.st: no such file"),
    Case("batch-is-a-folder", ("gradcheck", "--batch", "model"), "model: found a folder"),
    Case("batch-of-another-kind", ("gradcheck", "--batch", "dev.conll"), "dev.conll: found no batch"),
    Case("batch-is-a-model", ("gradcheck", "--batch", "model/model.safetensors"),
         "model/model.safetensors: found no batch"),
    Case("plot-beside-no-folder", ("gradcheck", "model", "--plot", "no/p.png"), "no: no such folder"),
    Case("init-in-a-full-folder", ("init", "model"), "model: already there"),
    Case("init-over-a-file", ("init", "dev.conll"), "dev.conll: already there"),
    Case("init-below-a-file", ("init", "dev.conll/x"), "dev.conll"),
    Case("part-of-columns", ("corpus", "convert", "dev.conll", "--part", "dev"),
         "dev.conll: found conll, expected inline", "corpus convert --part"),
    Case("part-of-columns-as-json", ("corpus", "convert", "dev.conll", "--part", "dev", "--to", "jsonl"),
         "dev.conll: found conll, expected inline", "corpus convert --part"),
    Case("outputs-into-a-file", ("predict", "run", "dev.conll", "--out-dir", "train.conll"),
         "train.conll: File exists", "choose another path"),
    Case("split-into-too-many", ("corpus", "split", "one.jsonl", "-o", "new", "--by-sentence"),
         "one.jsonl: found 1 sentence, expected at least 3", "name fewer --parts",
         {"one.jsonl": b'{"text": "Ada", "entities": [[0, 3, "PER"]]}\n'}),
    # Misuse
    misuse("resume-and-overwrite", *TRAIN, "--resume", "--overwrite", holds="give one of them"),
    misuse("unknown-set-key", *TRAIN, "--set", "training.alhpa=1", holds='"training.alpha"?'),
    misuse("set-without-value", *TRAIN, "--set", "training.alpha", holds="KEY=VALUE"),
    misuse("set-wrong-type", *TRAIN, "--set", "training.epochs=x", holds="a whole number"),
    misuse("set-a-section", *TRAIN, "--set", "training={epochs: 3}", holds="such as training."),
    misuse("set-even-window", *TRAIN, "--set", "windows.size=2", holds="an odd number"),
    misuse("seed-not-a-number", *TRAIN, "--seed", "x", holds="--seed"),
    misuse("seed-negative", *TRAIN, "--seed", "-1", holds="--seed"),
    misuse("unknown-command", "trian", "config.yaml", holds="trian"),
    misuse("unknown-option", *TRAIN, "--epoch", "3", holds="--epoch"),
    misuse("no-argument", "train", holds="CONFIG"),
    misuse("no-text", "predict", "run", holds="FILE"),
    misuse("one-too-many", "prepare", "config.yaml", "dev.conll", holds="give it alone"),
    misuse("bad-format", "predict", "run", "-", "--from", "docx", holds="--from: found docx"),
    misuse("bad-output", "predict", "run", "-", "--to", "docx", holds="--to: found docx"),
    misuse("bad-scheme", "predict", "run", "-", "--scheme", "iob3", holds="--scheme: found iob3"),
    misuse("set-on-a-model", "gradcheck", "run", "--set", "seed=2", holds="leave it out"),
    misuse("nothing-to-check", "gradcheck", holds="or --batch FILE"),
    misuse("two-things-to-check", "gradcheck", "run", "--batch", "b", holds="or --batch FILE"),
    misuse("two-checks", "gradcheck", "run", "--mutate", "--jacobians", holds="give one of them"),
    misuse("plot-of-mistakes", "gradcheck", "run", "--mutate", "--plot", "p.png", holds="leave it out"),
    misuse("config-beside-a-text", "corpus", "stats", "dev.conll", "config.yaml", holds="give it alone"),
    misuse("report-over-a-text", "evaluate", "run", "dev.conll", "--report", "./dev.conll", holds="another"),
    misuse("report-over-a-config", *TRAIN, "--report", "config.yaml", holds="another name"),
    misuse("report-over-a-configs-text", *TRAIN, "--report", "train.conll", holds="another name"),
    misuse("report-over-the-output", "corpus", "convert", "dev.conll", "-o", "o", "--report", "o",
           holds="another name"),
    misuse("no-windows", "gradcheck", "config.yaml", "--windows", "0", holds="--windows"),
]  # fmt: skip
