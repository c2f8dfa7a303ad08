"""Gain and cost of choices on word vectors: lookup steps, words that a model keeps, compressed rows.

    lookup      tokens of dev that each step of vectors.lookup finds, and dev F1 without and with some
    vocabulary  dev F1, size and time to load for the choices of model.vocabulary
    compress    size, time to load and dev F1 of a trained model (--model) after nertool compress
    prune       memory and time of nertool vectors prune on a generated file of 3,000,000 × 300, and the
                time of gensim's own reader (needs 8 GB on disk, and 5 GB of memory for gensim)

Seconds are CPU time (user + system). Each part writes results/vectors-PART.md and .json.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from record import DATA, ROOT, check_data, keep, machine

TEXTS = {
    "CoNLL-2003": ("conll2003/train.txt", "conll2003/dev.txt", 6),
    "wikigold": ("suite/wikigold/train.conll", "suite/wikigold/dev.conll", 10),
    "Swahili": ("suite/masakha-swa/train.conll", "suite/masakha-swa/dev.conll", 10),
}
SETTINGS: dict[str, Any] = {
    "features": {"shape": 8, "affixes": 6, "memory": True},
    "network": {"activation": "relu", "output": "softmax"},
    "training": {
        "dropout_input": 0.2,
        "dropout_hidden": 0.3,
        "average": 3,
        "word_dropout": 0.25,
    },
}
GLOVE = DATA / "vectors/glove.6B.50d.bin"
SHORT = ["exact", "nfc", "lower", "title", "digits"]
STEPS = {
    "up to digits": SHORT,
    "with hyphen and suffix": [*SHORT, "hyphen", "suffix"],
    "with subwords": [*SHORT, "subwords"],
    "all": [*SHORT, "hyphen", "suffix", "subwords"],
}
VOCABULARIES = ("all", 100_000, 20_000, "corpus")
COMPRESSIONS: list[tuple[str, int | None]] = [
    ("float16", None),
    ("int8", None),
    ("int8", 320_000),
    ("int8", 250_000),
    ("int8", 100_000),
    ("int8", 50_000),
    ("int8", 20_000),
    ("codes", 100_000),
    ("codes", 50_000),
    ("codes", None),
]


def main() -> None:
    """Measure the requested parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = {"lookup": lookup, "vocabulary": vocabulary, "compress": compress, "prune": prune}
    parser.add_argument("--only", action="append", choices=parts, help="[default: all]")
    parser.add_argument("--text", action="append", choices=TEXTS, help="[default: all that fit]")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", type=Path, help="a run folder, for compress")
    parser.add_argument("--rows", type=int, default=3_000_000, help="of the file, for prune")
    options = parser.parse_args()
    check_data()
    for name in options.only or parts:
        with tempfile.TemporaryDirectory() as folder:
            results, table = parts[name](options, Path(folder))
        results = {"machine": machine("numpy", "gensim"), **results}
        print(keep(f"vectors-{name}", results, table), flush=True)


# lookup and vocabulary: one network each


def lookup(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Count the tokens that each step finds, and train without and with the last steps."""
    counts, scores = {}, {}
    for text in options.text or TEXTS:
        own = text == "Swahili"
        # GloVe has no Swahili words and no subwords, so fastText is trained on the training text instead.
        vectors = fasttext_of(text, folder) if own else compact(folder)
        chosen = STEPS if own else {name: STEPS[name] for name in list(STEPS)[:2]}
        counts[text] = steps_of(text, vectors)
        for name, steps in chosen.items():
            found = [
                trained(text, seed, folder, vectors={"path": str(vectors), "lookup": steps})[0]
                for seed in range(1, 1 + options.seeds)
            ]
            scores[f"{text}, {name}"] = found
            progress(text, name, found)
    names = [step for step in STEPS["all"] if any(count[step] for count in counts.values())]
    table = ["| text | tokens | " + " | ".join([*names, "unknown"]) + " |"]
    table += ["|---" * (3 + len(names)) + "|"]
    table += [
        f"| {text} | {sum(count.values()):,} | "
        + " | ".join(f"{count[name]:,}" for name in [*names, "unknown"])
        + " |"
        for text, count in counts.items()
    ]
    table += ["", "| text and steps | dev F1 |", "|---|---|"]
    table += [f"| {name} | {spread(found)} |" for name, found in scores.items()]
    return {"tokens": counts, "f1": scores}, table


def vocabulary(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Train with each choice of model.vocabulary."""
    rows = {}
    for text in options.text or list(TEXTS)[:2]:
        for words in VOCABULARIES:
            runs = [
                trained(
                    text,
                    seed,
                    folder,
                    vectors={"path": str(compact(folder))},
                    model={"vocabulary": words},
                )
                for seed in range(1, 1 + options.seeds)
            ]
            found = [f1 for f1, _, _ in runs]
            rows[f"{text} | {words if isinstance(words, str) else f'{words:,}'}"] = {
                "f1": found,
                "bytes": runs[0][1],
                "load_seconds": min(seconds for _, _, seconds in runs),
            }
            progress(text, str(words), found)
    table = ["| text | `model.vocabulary` | dev F1 | size | load |", "|---|---|---|---|---|"]
    table += [
        f"| {name} | {spread(row['f1'])} | {row['bytes'] / 1e6:.1f} MB | {row['load_seconds']:.2f} s |"
        for name, row in rows.items()
    ]
    return {"rows": rows}, table


def trained(
    text: str, seed: int, folder: Path, **sections: dict[str, Any]
) -> tuple[float, int, float]:
    """Train one network; return its F1 on dev in percent, the bytes of its model, and seconds to load it."""
    import nertool

    train, dev, epochs = TEXTS[text]
    config = {
        **SETTINGS,
        "training": {**SETTINGS["training"], "epochs": epochs},
        "corpus": {"train": str(DATA / train), "dev": str(DATA / dev)},
        "seed": seed,
        **sections,
    }
    run = nertool.train(config, folder / "run", overwrite=True)
    assert run.scores is not None
    model = folder / "run" / "best"
    size = sum(file.stat().st_size for file in model.iterdir())
    return 100 * float(run.scores["f1"]), size, seconds_to_load(model)


def seconds_to_load(model: Path) -> float:
    """Return the CPU seconds of loading after all imports: the minimum of three processes."""
    code = (
        "import sys, time, nertool; from nertool.api.tagger import load\n"
        "load(sys.argv[1]); start = time.process_time(); load(sys.argv[1])\n"
        "print(time.process_time() - start)"
    )
    return min(
        float(subprocess.check_output([sys.executable, "-c", code, model], cwd=ROOT))
        for _ in range(3)
    )


def compact(folder: Path) -> Path:
    """Write GloVe's vectors as a file that loads at once."""
    from nertool.vectors.compact import write_compact
    from nertool.vectors.files.load import load_vectors

    path = folder / "glove.vectors"
    if not path.exists():
        loaded = load_vectors(GLOVE)
        write_compact(path, loaded.words, loaded.matrix)
    return path


def fasttext_of(text: str, folder: Path) -> Path:
    """Train fastText on a text's training part, and keep its subwords."""
    path = folder / "fasttext.vectors"
    if not path.exists():
        source = str(DATA / TEXTS[text][0])
        options = [
            "--kind",
            "fasttext",
            "--epochs",
            "15",
            "--min-count",
            "1",
            "--subwords",
            "50000",
        ]
        command = [sys.executable, "-m", "nertool", "vectors", "train", source, "-o", path]
        subprocess.run([*command, *options], cwd=ROOT, check=True)
    return path


def steps_of(text: str, vectors: Path) -> dict[str, int]:
    """Return the number of tokens of dev that each step finds, with all steps enabled."""
    from nertool.config.records import Config
    from nertool.corpus.ledger import Ledger
    from nertool.formats.labelled import read_labelled, reading_of
    from nertool.inputs.encoder import Encoder, coverage
    from nertool.vectors.files.load import load_vectors
    from nertool.vectors.subwords import Composer

    loaded = load_vectors(vectors)
    composer = None
    if loaded.subwords is not None:
        composer = Composer(loaded.matrix[0], [loaded.subwords])
    encoder = Encoder(loaded.words, [], steps=STEPS["all"], composer=composer)
    settings = Config().corpus
    corpus = read_labelled(
        [DATA / TEXTS[text][1]], settings.format, reading_of(settings), Ledger(), progress
    )
    return coverage(encoder, corpus).by_step()


# compress


def compress(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Compress a model in each way, and measure it."""
    from nertool.model.compress import compress_model
    from nertool.model.load import load_model
    from nertool.model.save import save_model

    if options.model is None:
        raise SystemExit("compress: name a trained model with --model")
    model = load_model(options.model)
    rows = {"as trained": measured(options.model)}
    for kind, top in COMPRESSIONS:
        path = folder / "small.nertool"
        path.unlink(missing_ok=True)
        save_model(compress_model(model, kind, top), path)
        name = f"`--rows {kind}" + ("`" if top is None else f" --top {top}`")
        rows[name] = measured(path)
        progress(name, *rows[name].values())
    table = ["| options | size | dev F1 | load |", "|---|---|---|---|"]
    table += [
        f"| {name} | {row['bytes'] / 1e6:.1f} MB | {row['f1']:.2f} | {row['load_seconds']:.2f} s |"
        for name, row in rows.items()
    ]
    return {"rows": rows}, table


def measured(path: Path) -> dict[str, float]:
    """Measure a model's bytes, F1 on its dev part in percent, and seconds to load."""
    from nertool.corpus.ledger import Ledger
    from nertool.evaluation.evaluate import compare_with_model
    from nertool.evaluation.inputs import ReadingOptions, read_for_model
    from nertool.model.files import open_model
    from nertool.model.load import load_model
    from nertool.tagging.compiled import CompiledTagger

    model = load_model(path)
    dev = model.config.corpus.dev
    corpus = read_for_model(model, dev, ReadingOptions(), Ledger(), progress)
    f1 = 100 * compare_with_model(CompiledTagger(model), corpus, progress)[0].scores.f1
    with open_model(path, verify=False) as opened:
        size = sum(opened.sizes().values())
    return {"bytes": size, "f1": f1, "load_seconds": seconds_to_load(path)}


# prune


def prune(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Prune a large binary file to 100,000 words, and read it with gensim."""
    big, small = folder / "big.bin", folder / "small.vectors"
    write_big(big, options.rows, 300)
    ours = [sys.executable, "-m", "nertool", "vectors", "prune", str(big), "--top", "100000"]
    code = (
        "import sys; from gensim.models import KeyedVectors\n"
        "KeyedVectors.load_word2vec_format(sys.argv[1], binary=True)"
    )
    rows = {}
    for name, command in (
        ("`nertool vectors prune --top 100000`", [*ours, "-o", str(small)]),
        ("gensim, `load_word2vec_format`", [sys.executable, "-c", code, str(big)]),
    ):
        seconds, memory = run(command)
        rows[name] = {"seconds": seconds, "peak_mb": memory}
        progress(name, seconds, memory)
    table = [f"| {options.rows:,} × 300 | seconds | peak memory |", "|---|---|---|"]
    table += [f"| {n} | {r['seconds']:.0f} s | {r['peak_mb']:,.0f} MB |" for n, r in rows.items()]
    return {"rows": rows}, table


def write_big(path: Path, count: int, width: int) -> None:
    """Write a word2vec binary file of random vectors, the same block repeated."""
    import numpy as np

    block = 10_000
    values = np.random.default_rng(0).standard_normal((block, width)).astype("<f4")
    rows = [row.tobytes() for row in values]
    with open(path, "wb") as file:
        file.write(b"%d %d\n" % (count, width))
        for start in range(0, count, block):
            own = zip(range(start, min(start + block, count)), rows, strict=False)
            file.write(b"".join(b"w%d %s\n" % (i, row) for i, row in own))


def run(command: list[str]) -> tuple[float, float]:
    """Run a command; return its CPU seconds and its peak resident memory in MB (Linux)."""
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


def spread(found: list[float]) -> str:
    """Format a mean and a standard deviation."""
    return f"{mean(found):.2f} ± {stdev(found) if len(found) > 1 else 0:.2f}"


def progress(*parts: object) -> None:
    """Print on stderr what was measured."""
    print(*parts, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
