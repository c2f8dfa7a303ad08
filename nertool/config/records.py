"""A run's settings as typed, frozen records: every key, its values, its default and its meaning.

The records are the only place where a key is declared. The reader (values.py) takes types, limits
and choices from them; configs/reference.yaml, docs/config.md and configs/schema.json are generated
from them (reference.py). To add a key, add a field here and run scripts/docs.py.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from nertool.catalogue import LABELLED_INPUTS, LOOKUP

# The largest values are far above what is useful, and low enough that a slip of the keyboard is
# refused at once, and not after memory or an hour is used up.
Count = Annotated[int, Meta(ge=1, le=10_000)]
CountOrNone = Annotated[int, Meta(ge=0, le=10_000)]
Width = Annotated[int, Meta(ge=0, le=512)]
Hidden = Annotated[int, Meta(ge=1, le=16_384)]
Share = Annotated[float, Meta(ge=0, lt=1)]
Column = Annotated[int, Meta(ge=-10_000, le=10_000)] | str
Names = Annotated[tuple[str, ...], Meta(min_length=1)]
Paths = Annotated[tuple[Path, ...], Meta(min_length=1)]
Texts = Annotated[tuple[Path, ...], Meta(min_length=1)]
Lists = Annotated[dict[str, Paths], Meta(min_length=1)]

Activation = Literal["tanh", "logistic", "relu", "hard_tanh"]
Output = Literal["logistic", "softmax"]
InputScheme = Literal["auto", "io", "iob1", "iob2", "bioes"]
if typing.TYPE_CHECKING:
    InputFormat = str
    LookupStep = str
else:  # the formats' registry says which there are
    InputFormat = Literal[LABELLED_INPUTS]
    LookupStep = Literal[LOOKUP]


def about(text: str) -> Meta:
    """Say what a key means: the text stands in the generated reference."""
    return Meta(description=text)


@dataclass(frozen=True)
class CorpusConfig:
    """The labelled text, and how it is read."""

    train: Annotated[
        Texts | None,
        about("The labelled text to learn from: a path, or a list of paths that are read one after "
              "another. A folder stands for the files below it; a path may be a pattern, such as "
              "train/*.conll."),
    ] = None  # fmt: skip
    dev: Annotated[
        Texts | None,
        about("Labelled text that chooses the best epoch, named as train is. Without it the last epoch is "
              "kept."),
    ] = None  # fmt: skip
    held_out: Annotated[
        Share,
        about("Without dev: the share of the training text that is held out as dev, in whole documents, "
              "or in blocks of sentences where documents are not marked. 0: none."),
    ] = 0.0  # fmt: skip
    test: Annotated[
        Texts | None,
        about("Labelled text for a last measurement, named as train is. Training never reads it."),
    ] = None
    format: Annotated[
        InputFormat, about("The format of these files. auto: recognised from their content.")
    ] = "auto"
    scheme: Annotated[
        InputScheme, about("The tag scheme of these files. auto: recognised from their tags.")
    ] = "auto"
    labels: Annotated[
        Names | None,
        about("Learn only these classes, such as [PER, LOC]. Empty: all classes of the text."),
    ] = None
    token_column: Annotated[
        Column | None,
        about("Column of the words in CoNLL columns: a number from 0 (-1 is the last), or its name "
              "in a header. Empty: found."),
    ] = None  # fmt: skip
    tag_column: Annotated[
        Column | None, about("Column of the tags, as token_column. Empty: found.")
    ] = None
    delimiter: Annotated[
        Annotated[str, Meta(max_length=16)] | None,
        about('Text between two columns, such as "\\t". Empty: found.'),
    ] = None
    comment: Annotated[
        Annotated[str, Meta(max_length=64)],
        about('Lines that begin with this text are left out, such as "# ". Empty: only lines with # '
              "that have fewer columns than the others."),
    ] = ""  # fmt: skip
    tag_names: Annotated[
        Names | None,
        about("The names of tags that are written as numbers, in the order of the numbers, such as "
              "[O, B-PER, I-PER]."),
    ] = None  # fmt: skip
    text_field: Annotated[
        Annotated[str, Meta(min_length=1)], about("The key of the text in JSON and Parquet.")
    ] = "text"
    language: Annotated[
        Annotated[str, Meta(min_length=1, max_length=32)],
        about("Language of running text, such as en, de or hi. It is used to find sentences."),
    ] = "en"
    misaligned: Annotated[
        Literal["error", "snap", "drop"],
        about("Entities whose ends are not ends of words: error stops, snap moves the ends outwards "
              "to whole words, drop leaves the entity out. All are counted."),
    ] = "error"  # fmt: skip
    on_error: Annotated[
        Literal["fail", "skip"],
        about("Input that can't be read: fail stops, skip leaves out the record and counts it."),
    ] = "fail"
    offsets: Annotated[
        Literal["auto", "characters", "utf16", "bytes"],
        about("What positions of entities count: characters, UTF-16 units (JavaScript, Java) or bytes of "
              "UTF-8. auto: what fits the entities."),
    ] = "auto"  # fmt: skip
    class_name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        about("The class of tags that name none, B, I and O. Empty: such tags are refused."),
    ] = None


@dataclass(frozen=True)
class VectorsConfig:
    """The word vectors that training starts from."""

    path: Annotated[
        Path | None,
        about("File of vectors: word2vec (binary or text) or GloVe text, also compressed. Empty: "
              "random vectors for the words of the training text."),
    ] = None  # fmt: skip
    more: Annotated[
        Paths | None,
        about("Further files, such as [more.bin]. The members of an ensemble take turns with all files."),
    ] = None  # fmt: skip
    side_by_side: Annotated[
        bool,
        about("Give every network the vectors of all files, side by side in one row, in place of one file "
              "each."),
    ] = False  # fmt: skip
    raw_text: Annotated[
        Paths | None,
        about("Raw texts, such as [raw.txt], to train vectors of this width on (word2vec) before all else. "
              "They stand beside those of path, if that is set."),
    ] = None  # fmt: skip
    limit: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)] | None,
        about("Read only so many vectors from the beginning of the file. Empty: all."),
    ] = None
    lookup: Annotated[
        Annotated[tuple[LookupStep, ...], Meta(min_length=1)],
        about("The steps by which a word's vector is looked up, until one finds it; always in this order: "
              "exact; nfc, composed letters without invisible characters; lower case; title case for words "
              "in capitals; digits as 0 or #; hyphen, the parts of Anglo-French, the last one first; suffix, "
              "the longest end of the word that has a vector; subwords, composed of parts that the file has "
              "vectors for. Then the unknown word's vector."),
    ] = ("exact", "nfc", "lower", "title", "digits", "subwords")  # fmt: skip
    width: Annotated[
        Annotated[int, Meta(ge=1, le=4_096)], about("Width of random vectors.")
    ] = 50  # fmt: skip
    fine_tune: Annotated[
        bool | Literal["both"],
        about("Train the word vectors too. both: a word's row has its vector twice, one copy is trained and "
              "the other stays as it is."),
    ] = True  # fmt: skip
    own_rows: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)],
        about("A training word without a vector gets one of its own if it occurs at least this often. "
              "0: never; all such words share one vector."),
    ] = 0  # fmt: skip


@dataclass(frozen=True)
class WindowsConfig:
    """The window of words that is classified: C words, the word in question in the centre."""

    size: Annotated[
        Annotated[int, Meta(ge=1, le=101)],
        about("C, an odd number: the word, and (C − 1)/2 words on either side."),
    ] = 5


@dataclass(frozen=True)
class FeaturesConfig:
    """What the network is shown of a word besides its vector. A number is the width of a trained
    embedding; 0 leaves the feature out."""

    caps: Annotated[
        Width, about("Capitals: lower, Initial, ALL CAPITALS, miXed, digits, a single Capital.")
    ] = 5
    shape: Annotated[
        Width, about("The word's pattern with runs collapsed, such as Xx, X.X. or 0-0.")
    ] = 0
    affixes: Annotated[
        Width, about("Prefixes of 1 to 3 letters and suffixes of 1 to 4: the width of each.")
    ] = 0
    ngrams: Annotated[
        Width,
        about("The word and its runs of 3 to 5 letters, in a table that they share by their hash. Their "
              "rows are added up. Useful without vectors."),
    ] = 0  # fmt: skip
    memory: Annotated[
        bool,
        about("Shares of the classes that the word had in the training text; the same document is "
              "left out of the count."),
    ] = False  # fmt: skip
    gazetteers: Annotated[
        Lists | None,
        about("Lists of phrases by name, such as {CITY: cities.txt, DRUG: [drugs.tsv, more.txt]}: a phrase "
              "a line. Each list marks the words of its phrases as begin, inside, end or single. A phrase in "
              "lower case is found in any letters. The model keeps the phrases."),
    ] = None  # fmt: skip
    gazetteer_width: Annotated[
        Annotated[int, Meta(ge=1, le=512)], about("The width of each list's marks.")
    ] = 4
    sentence: Annotated[
        Width,
        about(
            "Is the sentence in capitals, or written like a title? Is it the first of its document?"
        ),
    ] = 0
    document: Annotated[
        Width,
        about("Does the document have the word elsewhere in lower case, capitalised, in capitals?"),
    ] = 0
    neighbours: Annotated[
        bool,
        about("Mean vectors of the words to the left and right of this word's other occurrences in the "
              "document."),
    ] = False  # fmt: skip
    document_vector: Annotated[bool, about("Mean vector of the document.")] = False


@dataclass(frozen=True)
class NetworkConfig:
    """The network: one hidden layer h = f(W x + b₁), scores u = U h + b₂."""

    hidden: Annotated[Hidden, about("H, the width of the hidden layer.")] = 128
    activation: Annotated[Activation, about("f, the activation.")] = "tanh"
    output: Annotated[
        Output,
        about("logistic: each tag against the rest. softmax: one distribution over all tags."),
    ] = "logistic"
    members: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        about("Networks to train, each from a seed of its own. Their scores are averaged."),
    ] = 1


@dataclass(frozen=True)
class TrainingConfig:
    """How the loss J is minimised."""

    start: Annotated[
        Path | None,
        about("A model to start from, in place of random numbers: to go on with more text, or with a class "
              "more. Classes of it that the text has no entity of are kept. Empty: none."),
    ] = None  # fmt: skip
    epochs: Annotated[Count, about("Passes over the training text.")] = 15
    batch_size: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)],
        about("Windows in a batch. With shuffle: sentences, whole sentences are added until there are "
              "at least so many."),
    ] = 512  # fmt: skip
    shuffle: Annotated[
        Literal["sentences", "windows"],
        about("What an epoch shuffles: whole sentences, or single windows."),
    ] = "sentences"
    optimizer: Annotated[
        Literal["sgd", "momentum", "adagrad", "adam"], about("The update rule.")
    ] = "adagrad"
    alpha: Annotated[Annotated[float, Meta(ge=0, le=100)], about("The learning rate.")] = 0.05
    momentum: Annotated[Share, about("Of the optimizer momentum.")] = 0.9
    decay: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("The rate in epoch e is alpha / (1 + decay · (e − 1))."),
    ] = 0.0
    l2: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("Weight decay: l2/2 · (‖W‖² + ‖U‖²) is added to J."),
    ] = 0.0
    dropout_input: Annotated[
        Share, about("Share of each word's features that is dropped before windows are formed.")
    ] = 0.0
    dropout_hidden: Annotated[Share, about("Share of h that is dropped.")] = 0.0
    average: Annotated[
        Count, about("Evaluate and keep the mean of the weights of the last so many epochs.")
    ] = 1
    patience: Annotated[
        CountOrNone, about("Stop when dev F1 has not risen for so many epochs. 0: never.")
    ] = 0
    class_balance: Annotated[
        Annotated[float, Meta(ge=0, le=10)],
        about("Weight of a word in J: (words of the most frequent class / words of its class) to this "
              "power. 0: all words count the same."),
    ] = 0.0  # fmt: skip
    recase: Annotated[
        Share, about("Share of sentences that an epoch reads in lower case or in capitals.")
    ] = 0.0
    replace_entities: Annotated[
        Share, about("Share of entities that an epoch replaces by others of the same class.")
    ] = 0.0
    word_dropout: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("a: a word that occurs n times in the training text is read as an unknown word with "
              "probability a / (a + n): no memory of it and, without vectors, no vector of its own."),
    ] = 0.0  # fmt: skip
    refit: Annotated[
        bool,
        about("After training: train once more on train and dev together, with the number of epochs that "
              "was best on dev. The temperature found on dev is kept."),
    ] = False  # fmt: skip
    audit_every: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)],
        about("Check the gradient every so many batches, and note it in log.jsonl. 0: never."),
    ] = 0


@dataclass(frozen=True)
class FirstStageConfig:
    """A network before the network. Its probabilities for the word's other occurrences in the
    document are an input of the second one."""

    folds: Annotated[
        Annotated[int, Meta(ge=0, le=100)],
        about("In training the probabilities come from so many networks, each trained without the "
              "fold that it reads. 0: no first stage."),
    ] = 0  # fmt: skip
    hidden: Annotated[Hidden, about("H of these networks.")] = 128
    epochs: Annotated[Count, about("Their epochs.")] = 8


@dataclass(frozen=True)
class DecodingConfig:
    """From scores to entities."""

    scheme: Annotated[
        Literal["io", "iob2", "bioes"], about("The tag scheme that the network learns.")
    ] = "bioes"
    method: Annotated[
        Literal["viterbi", "argmax"],
        about("viterbi: the best sequence that the scheme allows. argmax: each word's best tag."),
    ] = "viterbi"
    outside_bias: Annotated[
        Annotated[float, Meta(ge=-100, le=100)],
        about("Subtracted from the score of O: above 0 more entities are found, and more of them are "
              "wrong."),
    ] = 0.0  # fmt: skip
    fit_bias: Annotated[
        bool,
        about("After training, set outside_bias to the value that is best on dev, if it gains more than "
              "chance would."),
    ] = False  # fmt: skip
    consistency: Annotated[
        Share,
        about("Share that the word's other occurrences in the document have in its probabilities."),
    ] = 0.0


@dataclass(frozen=True)
class DistillationConfig:
    """Learning from another model, the teacher: its probabilities are the targets of training."""

    teacher: Annotated[
        Path | None, about("The teacher, a model or a run folder. Empty: no distillation.")
    ] = None
    texts: Annotated[
        Paths | None,
        about("Unlabelled texts, such as [raw.txt], that the teacher tags and the network learns from, "
              "beside corpus.train."),
    ] = None  # fmt: skip
    share: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        about("λ: the target of a labelled word is (1 − λ) times its gold tag and λ times the teacher's "
              "probabilities."),
    ] = 0.5  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """What the trained model keeps."""

    vocabulary: Annotated[
        Literal["all", "corpus"] | Annotated[int, Meta(ge=1, le=1_000_000_000)],
        about("Words of the vectors that the model keeps: all; corpus, those of the training text; or a "
              "number N, these and the N first ones of the file. Others are unknown to it."),
    ] = "all"  # fmt: skip


@dataclass(frozen=True)
class Config:
    """All settings of a run."""

    corpus: CorpusConfig = CorpusConfig()
    vectors: VectorsConfig = VectorsConfig()
    windows: WindowsConfig = WindowsConfig()
    features: FeaturesConfig = FeaturesConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    first_stage: FirstStageConfig = FirstStageConfig()
    decoding: DecodingConfig = DecodingConfig()
    distillation: DistillationConfig = DistillationConfig()
    model: ModelConfig = ModelConfig()
    recipe: Annotated[
        Literal["plain", "auto"],
        about("plain: keys that are not set keep their defaults. auto: they are chosen from the training "
              "text; docs/recipes.md says how."),
    ] = "plain"  # fmt: skip
    budget: Annotated[
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,5}[smh]$")],
        about(
            "With recipe: auto, about how long training may take on two cores, such as 30s, 2m or 1h."
        ),
    ] = "2m"
    seed: Annotated[
        Annotated[int, Meta(ge=0)],
        about("Seed of everything random: the same seed gives the same model."),
    ] = 1


def config_to_dict(config: Config) -> dict[str, Any]:
    """Turn a config into plain dictionaries, ready for YAML or JSON: paths become strings, and a part of
    the corpus that is one path is one string."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, tuple):
            return [plain(entry) for entry in value]
        return str(value) if isinstance(value, Path) else value

    tree = typing.cast(dict[str, Any], plain(dataclasses.asdict(config)))
    for part in ("train", "dev", "test"):
        paths = tree["corpus"][part]
        tree["corpus"][part] = paths[0] if paths and len(paths) == 1 else paths
    return tree
