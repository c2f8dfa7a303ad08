"""The layout of the network's input: the columns of each table and of each side input.

Training and the compiled tagger use the same layout. A word has row numbers in several tables. Its row is
the rows of all tables side by side. A window x is the rows of C words, then the side inputs of its centre:

    ids (F)   L (| L0) | word features … | clusters | memory | gazetteers | context features …
    row (d)   the same order, each as wide as its tables' rows
    x (D)     C rows | left, right, document, first_stage, its greatest, its window    D = C d + e

The first d_1 columns of a row depend only on the word type and on its gazetteers' marks. The other columns
depend on the word's context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nertool.config.inputs import FeaturesConfig
from nertool.config.learning import FirstStageConfig
from nertool.config.records import Config
from nertool.inputs.context import CONTEXTS
from nertool.inputs.features import FEATURES
from nertool.inputs.gazetteers import MARKS
from nertool.vectors.clusters import COLUMNS, SIZE

VECTORS = "L"  # the table of word vectors
STARTING = "L0"  # the word vectors before training, in addition to the trained ones
MEMORY = "M"  # the memory's table, which is counted, not trained
CLUSTERS = "E.clusters"  # the table of the clusters of a word's vector
GAZETTEERS = "E.gazetteers"  # the table of the gazetteers' marks

# The side inputs, in their order: the mean vector of the word's left neighbours elsewhere in the document,
# that of its right neighbours, the document's mean vector, the first stage's mean probabilities with a 1 if
# there are any, its greatest probabilities, and its probabilities for the words of a window.
LEFT, RIGHT, DOCUMENT, FIRST_STAGE = "left", "right", "document", "first_stage"
FIRST_STAGE_MAX, FIRST_STAGE_WINDOW = "first_stage_max", "first_stage_window"


class Layout(NamedTuple):
    """The columns of each table and of each side input.

    window: C; ids: the columns of each table in the row numbers; row: the columns of each table in a word's
    row; d_1: the number of columns of a row that depend only on the word type and on the gazetteers' marks;
    side: the columns of each side input.
    """

    window: int
    ids: dict[str, slice]
    row: dict[str, slice]
    d_1: int
    side: dict[str, slice]

    @property
    def d(self) -> int:
        """The width of a word's row."""
        return _end(self.row)

    @property
    def e(self) -> int:
        """The width of the side inputs."""
        return _end(self.side)

    @property
    def D(self) -> int:
        """The width of x."""
        return self.window * self.d + self.e


def layout_of(
    config: Config, widths: Mapping[str, int], v: int, T: int, first_stage: bool
) -> Layout:
    """Return the layout of a network's input.

    widths: the width of each table's rows, by name; v: the width of the word vectors; T: the number of tags;
    first_stage: whether the network gets the first stage's probabilities.
    """
    columns = table_columns(config)
    of_words = [name for name in columns if name not in _context_tables(config.features)]
    return Layout(
        window=config.windows.size,
        ids=id_slices(config),
        row=_slices((name, max(n, 1) * widths[name]) for name, n in columns.items()),
        d_1=sum(max(columns[name], 1) * widths[name] for name in of_words),
        side=side_slices(config.features, v, T, config.first_stage if first_stage else None),
    )


def id_slices(config: Config) -> dict[str, slice]:
    """Return the columns of each table in the row numbers."""
    return _slices((name, abs(n)) for name, n in table_columns(config).items())


def side_slices(
    features: FeaturesConfig, v: int, T: int, first_stage: FirstStageConfig | None
) -> dict[str, slice]:
    """Return the columns of the side inputs that the config uses. v, T: as in layout_of.

    first_stage: which of the first stage's probabilities the network gets in addition to the mean over the
    word's other occurrences. With None, the network gets nothing from a first stage.
    """
    widths = []
    if features.neighbours:
        widths += [(LEFT, v), (RIGHT, v)]
    if features.document_vector:
        widths.append((DOCUMENT, v))
    if first_stage is not None:
        widths.append((FIRST_STAGE, T + 1))
        if first_stage.max_pooling:
            widths.append((FIRST_STAGE_MAX, T))
        if first_stage.window:
            widths.append((FIRST_STAGE_WINDOW, first_stage.window * T))
    return _slices(widths)


def features_of(config: Config) -> list[str]:
    """Return the names of the word features that have a width in the config, in the order of FEATURES."""
    return [name for name in FEATURES if getattr(config.features, name)]


def contexts_of(config: Config) -> list[str]:
    """Return the names of the context features that have a width in the config, in the order of CONTEXTS."""
    return _contexts_of(config.features)


def table_columns(config: Config) -> dict[str, int]:
    """Return the number of row numbers of a word in each table, by name, in the order of a row.

    The number is negative for a pooled table (see network/lookup.py).
    """
    return {
        VECTORS: 1,
        **({STARTING: 1} if keeps_starting(config) else {}),
        **{f"E.{name}": FEATURES[name].row_columns for name in features_of(config)},
        **({CLUSTERS: COLUMNS} if config.features.clusters else {}),
        **({MEMORY: 1} if config.features.memory else {}),
        **({GAZETTEERS: lists} if (lists := len(config.features.gazetteers or ())) else {}),
        **dict.fromkeys(_context_tables(config.features), 1),
    }


def keeps_starting(config: Config) -> bool:
    """Return whether a word's row has its vector twice: the trained vector and the one before training."""
    return config.vectors.fine_tune == "both"


def feature_table_shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Return the shapes of the trained tables of features, in the order of a row."""
    features = config.features
    shapes = {f"E.{n}": (FEATURES[n].size, getattr(features, n)) for n in features_of(config)}
    if features.clusters:
        shapes[CLUSTERS] = (SIZE, features.clusters)
    if features.gazetteers:
        rows = 1 + MARKS * len(features.gazetteers)
        shapes[GAZETTEERS] = (rows, features.gazetteer_width)
    contexts = {f"E.{n}": (CONTEXTS[n].size, getattr(features, n)) for n in contexts_of(config)}
    return {**shapes, **contexts}


def needs_documents(config: Config) -> bool:
    """Return whether a token's tag depends on other sentences of its document."""
    features = config.features
    return bool(
        features.sentence
        or features.document
        or features.neighbours
        or features.document_vector
        or config.first_stage.folds
        or config.decoding.consistency
    )


def _contexts_of(features: FeaturesConfig) -> list[str]:
    return [name for name in CONTEXTS if getattr(features, name)]


def _context_tables(features: FeaturesConfig) -> list[str]:
    return [f"E.{name}" for name in _contexts_of(features)]


def _slices(widths: Iterable[tuple[str, int]]) -> dict[str, slice]:
    """Return slices of the given widths, one after another."""
    slices, end = {}, 0
    for name, width in widths:
        slices[name] = slice(end, end + width)
        end += width
    return slices


def _end(slices: Mapping[str, slice]) -> int:
    return max((s.stop for s in slices.values()), default=0)
