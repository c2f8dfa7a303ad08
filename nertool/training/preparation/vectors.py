"""The vectors that training starts from: read from files, trained on raw text, or drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus
from nertool.corpus.invisible import normal_form
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.record import Reading
from nertool.errors import VectorsError
from nertool.files.encodings import is_utf8
from nertool.formats.paths import file_hash
from nertool.inputs.encoder import PAD_LEFT, PAD_RIGHT, SPECIAL_ROWS, UNKNOWN, Encoder
from nertool.training.preparation.store import Vectors, vector_groups
from nertool.vectors.clusters import COLUMNS, NONE, PADDING, cluster_numbers
from nertool.vectors.files.load import load_vectors
from nertool.vectors.findings import TOO_LARGE, findings
from nertool.vectors.lookup import SUBWORDS
from nertool.vectors.raw_text import Trained, settings_for, train_on_texts
from nertool.vectors.side_by_side import RARE, Table, side_by_side
from nertool.vectors.subwords import Composer
from nertool.vectors.train import PPMI

_ROWS = 1 << 16  # rows drawn at a time
_RAW_SPREAD = 0.25  # standard deviation of raw-text vectors, relative to that of random ones

Report = Callable[[str], None]


def starting_vectors(
    config: Config, train: Corpus, report: Report, dev_words: Sequence[str] = ()
) -> list[Vectors]:
    """Return the vocabulary and the starting L, special rows first, of each table of vectors.

    dev_words: word types of dev. Like those of train, they get rows in L if their vectors are composed from
    subwords.
    """
    return [
        _starting_vectors(config, group, i, train, dev_words, report)
        for i, group in enumerate(vector_groups(config))
    ]


def _starting_vectors(
    config: Config,
    paths: Sequence[Path],
    i: int,
    train: Corpus,
    dev_words: Sequence[str],
    report: Report,
) -> Vectors:
    """Return the i-th table of vectors: those of files, and of raw text if there is any, side by side.

    With vectors.own_rows = n, a training word without a vector that occurs at least n times gets its own row.
    Without files and own_rows, n is 1: every training word gets one.
    """
    rng = np.random.default_rng([config.seed, 0, i])
    if not paths and not config.vectors.raw_text:
        if config.features.clusters:
            raise VectorsError(
                f"features.clusters: found {config.features.clusters}, expected 0 without vectors: clusters "
                "are those of the vectors of vectors.path or vectors.raw_text"
            )
        return _random_vectors(config, rng, train, report)
    tables = [_table_of(config, path, report) for path in paths]
    if config.vectors.raw_text:
        tables.append(_raw_table(config, report))
    table = side_by_side(tables, config.vectors.lookup)
    V, d = table.matrix.shape
    if len(tables) > 1:
        report(f"vectors: {len(tables)} side by side: {V:,} words × {d}")
    table = _with_composed(config, table, [*train.words, *dev_words], report)
    least = config.vectors.own_rows or (0 if paths else 1)
    own = _own_words(config, table.words, train, least)
    if config.vectors.own_rows:
        report(
            f"vectors: {len(own):,} frequent training words without a vector get a row of their own"
        )
    listed = table.matrix[:V] if V else table.matrix
    spread = float(listed[:RARE].std()) or 1.0
    W = len(table.words)
    if not paths:  # vectors of raw text alone: words without one start from random vectors
        L = spread * rng.standard_normal((SPECIAL_ROWS + W + len(own), d)).astype(np.float32)
        L[SPECIAL_ROWS : SPECIAL_ROWS + W] = table.matrix
        return _finished(config, Vectors([*table.words, *own], L, own=len(own)), V, train, report)
    L = np.empty((SPECIAL_ROWS + W + len(own), d), dtype=np.float32)
    L[SPECIAL_ROWS : SPECIAL_ROWS + W] = table.matrix
    # An unknown word resembles the rare words most, so its row starts from their mean.
    L[UNKNOWN] = listed[-RARE:].mean(axis=0)
    L[[PAD_LEFT, PAD_RIGHT]] = 0.1 * spread * rng.standard_normal((2, d))
    L[SPECIAL_ROWS + W :] = L[UNKNOWN] + 0.1 * spread * rng.standard_normal((len(own), d))
    vectors = Vectors([*table.words, *own], L, table.subwords, own=len(own))
    return _finished(config, vectors, V, train, report)


def _with_composed(config: Config, table: Table, words: Sequence[str], report: Report) -> Table:
    """Add words that the table lacks and whose vector can be composed, if vectors.lookup has subwords.

    Errors: VectorsError for a table without any word.
    """
    if SUBWORDS in config.vectors.lookup and table.subwords:
        V, d = table.matrix.shape
        base = table.matrix[-RARE:].mean(axis=0) if V else np.zeros(d, dtype=np.float32)
        encoder = Encoder(table.words, [], steps=config.vectors.lookup)
        lacking = (normal_form(word) for word in words if encoder.vector_row(word) == UNKNOWN)
        new = list(dict.fromkeys(lacking))
        vectors, known = Composer(base, table.subwords).compose(new)
        added = [word for word, has in zip(new, known.tolist(), strict=True) if has]
        report(f"vectors: {len(added):,} words of the text got a vector composed of their parts")
        matrix = np.concatenate([table.matrix, vectors[known]])
        table = Table([*table.words, *added], matrix, table.subwords)
    if not table.words:
        raise VectorsError(
            f"{config.vectors.path}: found vectors of parts of words alone, expected subwords in "
            "vectors.lookup, and words that are made of these parts"
        )
    return table


def _finished(config: Config, vectors: Vectors, V: int, train: Corpus, report: Report) -> Vectors:
    """Add the clusters if they are a feature, and reduce the vocabulary to model.vocabulary.

    That is all words, or those of the training text and the first N. V: the number of words that the vectors
    came with; only these have clusters.
    """
    if config.features.clusters:
        numbers = _clusters(vectors.L, V)
        vectors = vectors._replace(clusters=numbers)
        report(f"vectors: clusters of {counted(int((numbers[:, 0] > NONE).sum()), 'words')}")
    wanted = config.model.vocabulary
    if wanted == "all":
        return vectors
    first = 0 if wanted == "corpus" else wanted
    words, L, subwords, clusters, own = vectors
    encoder = Encoder(words, [], steps=config.vectors.lookup)
    met = np.array([encoder.vector_row(word) for word in train.words], dtype=np.int64)
    rows = np.unique(
        np.concatenate(
            [
                np.arange(min(SPECIAL_ROWS + first, SPECIAL_ROWS + V)),
                np.arange(SPECIAL_ROWS + V, len(L)),
                met,
            ]
        )
    )
    report(f"vectors: the model keeps {len(rows) - SPECIAL_ROWS:,} of {len(words):,} words")
    kept = [words[row - SPECIAL_ROWS] for row in rows[SPECIAL_ROWS:].tolist()]
    return Vectors(kept, L[rows], subwords, None if clusters is None else clusters[rows], own)


def _clusters(L: NDArray[np.float32], V: int) -> NDArray[np.uint16]:
    """Return the clusters of the rows of L (r, v).

    Only the V rows after the special ones, the words that the vectors came with, have clusters.
    """
    numbers = np.full((len(L), COLUMNS), NONE, dtype=np.uint16)
    numbers[[PAD_LEFT, PAD_RIGHT]] = PADDING
    numbers[SPECIAL_ROWS : SPECIAL_ROWS + V] = cluster_numbers(L[SPECIAL_ROWS : SPECIAL_ROWS + V])
    return numbers


def _random_vectors(
    config: Config, rng: np.random.Generator, train: Corpus, report: Report
) -> Vectors:
    normal = map(normal_form, train.words)
    vocabulary, d = list(dict.fromkeys(normal)), config.vectors.width
    spread = _random_spread(d)
    L = np.empty((len(vocabulary) + SPECIAL_ROWS, d), dtype=np.float32)
    for start in range(0, len(L), _ROWS):  # in blocks: float64 draws take twice the memory
        rows = L[start : start + _ROWS]
        rows[:] = spread * rng.standard_normal(rows.shape)
    report(
        f"vectors: none given; {len(vocabulary):,} training words start from random ones of width {d}"
    )
    return Vectors(vocabulary, L)


def _random_spread(d: int) -> float:
    """Return the standard deviation of random vectors' values, which makes their length about 1."""
    return float(1.0 / np.sqrt(d))


def _own_words(config: Config, vocabulary: Sequence[str], train: Corpus, least: int) -> list[str]:
    """Return the words without a vector that occur at least `least` times; 0 means none."""
    if not least:
        return []
    counts = np.bincount(train.word_ids, minlength=len(train.words))
    encoder = Encoder(vocabulary, [], steps=config.vectors.lookup)
    frequent = [
        normal_form(word)
        for word, count in zip(train.words, counts.tolist(), strict=True)
        if count >= least and encoder.vector_row(word) == UNKNOWN
    ]
    return list(dict.fromkeys(frequent))


def _table_of(config: Config, path: Path, report: Report) -> Table:
    loaded = load_vectors(path, config.vectors.limit)
    V, d = loaded.matrix.shape
    report(f"vectors: {V:,} words × {d} from {path} ({loaded.format})")
    for note in loaded.notes:
        report(f"vectors: {note}")
    for finding in findings(loaded.words, loaded.matrix):
        if finding.kind == TOO_LARGE:
            raise VectorsError(f"{path}: {finding.message}")
        report(f"vectors: {finding.message}")
    subwords = () if loaded.subwords is None else (loaded.subwords,)
    if subwords:
        report(f"vectors: {len(subwords[0].rows):,} rows for parts of words")
    return Table(loaded.words, loaded.matrix, subwords)


def _raw_table(config: Config, report: Report) -> Table:
    assert config.vectors.raw_text
    paths = config.vectors.raw_text
    report(f"vectors: training on raw text: {', '.join(map(str, paths))}")
    hashes = tuple(file_hash(path) or "" for path in paths)
    corpus, width, seed = config.corpus, config.vectors.width, config.seed % 2**32
    trained = _trained(paths, hashes, corpus.language, corpus.encoding, width, seed)
    V, d = trained.matrix.shape
    how = trained.settings.kind
    if how != PPMI:
        how = f"{how}, {trained.settings.epochs} epochs"
    report(f"vectors: {V:,} words × {d} trained on {trained.tokens:,} tokens of raw text ({how})")
    # Raw-text vectors are long, and share a common direction. The network learns less well from them than
    # from short ones around 0 (docs/vectors.md has the figures).
    matrix = trained.matrix - trained.matrix.mean(axis=0)
    spread = _RAW_SPREAD * _random_spread(d)
    return Table(trained.words, matrix * np.float32(spread / (matrix.std() or 1.0)))


@lru_cache(maxsize=1)  # the final fit and the folds start from the same vectors
def _trained(
    paths: tuple[Path, ...],
    hashes: tuple[str, ...],
    language: str,
    encoding: str | None,
    width: int,
    seed: int,
) -> Trained:
    """Train vectors on raw texts.

    hashes: those of the files, so that a changed file is not taken from the cache. encoding: that of the
    labelled text, and of the raw texts that are not UTF-8.
    """
    from tqdm import tqdm

    with tqdm(unit="epoch", desc="vectors", disable=None, leave=False) as bar:

        def advance(epoch: int, of: int) -> None:
            bar.total = of
            bar.update(1)

        return train_on_texts(
            paths,
            "auto",
            lambda path: Reading(
                language=language, encoding=None if not encoding or is_utf8(path) else encoding
            ),
            lambda tokens: settings_for(tokens, width, seed),
            Ledger(),
            _silent,
            advance,
        )


def _silent(line: str) -> None:
    """Ignore a note on a file's format."""
