"""Settings of the network's inputs: the labelled text, word vectors, windows and features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from nertool.config.types import (
    Column,
    InputFormat,
    InputScheme,
    Lists,
    LookupStep,
    Names,
    Paths,
    Share,
    Texts,
    Width,
    about,
)


@dataclass(frozen=True)
class CorpusConfig:
    """The labelled text, and how it is read."""

    train: Annotated[
        Texts | None,
        about("The labelled text to train on: a path, or a list of paths that are read in this order. "
        "A path can be a file, a folder, or a pattern such as train/*.conll."),
    ] = None  # fmt: skip
    dev: Annotated[
        Texts | None,
        about("Labelled text to choose the best epoch, given in the same way as train. Without it, the "
        "last epoch is kept."),
    ] = None  # fmt: skip
    held_out: Annotated[
        Share,
        about("Without dev: the share of the training text that is held out as dev. Whole documents "
        "are held out, or blocks of sentences if documents are not marked. 0: none."),
    ] = 0.0  # fmt: skip
    test: Annotated[
        Texts | None,
        about(
            "Labelled text for the final evaluation, given in the same way as train. Training never "
            "reads it."
        ),
    ] = None
    format: Annotated[
        InputFormat, about("The format of these files. auto: detected from their content.")
    ] = "auto"
    scheme: Annotated[
        InputScheme, about("The tag scheme of these files. auto: detected from their tags.")
    ] = "auto"
    labels: Annotated[
        Names | None,
        about("Learn only these classes, such as [PER, LOC]. Empty: all classes of the text."),
    ] = None
    token_column: Annotated[
        Column | None,
        about("Column of the words in CoNLL columns: a number from 0 (-1 is the last), or its name in "
        "a header. Empty: detected."),
    ] = None  # fmt: skip
    tag_column: Annotated[
        Column | None,
        about("Column of the tags, given in the same way as token_column. Empty: detected."),
    ] = None
    delimiter: Annotated[
        Annotated[str, Meta(max_length=16)] | None,
        about('Text between two columns, such as "\t". Empty: detected.'),
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
        about(
            "Language of running text, such as en, de or hi. It is used to split the text into "
            "sentences."
        ),
    ] = "en"
    misaligned: Annotated[
        Literal["error", "snap", "drop"],
        about("What to do with entities that begin or end inside a word. error: stop. snap: widen them "
        "to whole words. drop: leave them out. All are counted."),
    ] = "error"  # fmt: skip
    on_error: Annotated[
        Literal["fail", "skip"],
        about(
            "What to do with input that can't be read. fail: stop. skip: leave out the record, and "
            "count it."
        ),
    ] = "fail"
    offsets: Annotated[
        Literal["auto", "characters", "utf16", "bytes"],
        about("The unit of the positions of entities: characters, UTF-16 code units (JavaScript, Java) "
        "or bytes of UTF-8. auto: the unit that fits the entities."),
    ] = "auto"  # fmt: skip
    class_name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        about(
            "The class of all entities, for texts whose tags are only B, I and O. Empty: such tags "
            "are an error."
        ),
    ] = None
    outside: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        about("The tag of words that are in no entity, such as OTHER. Empty: O; also _, - or 0 in columns "
              "that have no O."),
    ] = None  # fmt: skip
    encoding: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        about("Encoding of the text, such as latin-1 or cp1252. Empty: UTF-8, or UTF-16 or UTF-32 with a "
              "byte-order mark."),
    ] = None  # fmt: skip


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
        about("Further files, such as [more.bin]. The networks of an ensemble use the files in turn."),
    ] = None  # fmt: skip
    more_for: Annotated[
        Literal["all", "first_stage"],
        about("Which networks use the files of more in turn. all: all networks. first_stage: only "
        "those of the first stage; the second stage uses path."),
    ] = "all"  # fmt: skip
    side_by_side: Annotated[
        bool,
        about("Give every network the concatenated vectors of all files, instead of the vectors of one "
        "file."),
    ] = False  # fmt: skip
    raw_text: Annotated[
        Paths | None,
        about("Raw texts, such as [raw.txt]. Vectors of this width are first trained on them "
        "(word2vec), and are used in addition to those of path."),
    ] = None  # fmt: skip
    limit: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000_000)] | None,
        about("Read only this many vectors from the beginning of the file. Empty: all."),
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
        about("Also train the word vectors. both: each word has its vector twice; one copy is trained, "
        "the other is fixed."),
    ] = True  # fmt: skip
    own_rows: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)],
        about("A word of the training text without a vector gets its own vector if it occurs at least "
        "this often. 0: never; all such words share one vector."),
    ] = 0  # fmt: skip


@dataclass(frozen=True)
class WindowsConfig:
    """The window that is classified: C words, with the word to classify in the centre."""

    size: Annotated[
        Annotated[int, Meta(ge=1, le=101)],
        about(
            "C, an odd number: the size of the window, with the word and (C − 1)/2 words on either "
            "side."
        ),
    ] = 5


@dataclass(frozen=True)
class FeaturesConfig:
    """The features of a word besides its vector. A number is the width of a trained embedding; 0 turns the
    feature off."""

    caps: Annotated[
        Width, about("Capitals: lower, Initial, ALL CAPITALS, miXed, digits, a single Capital.")
    ] = 5
    shape: Annotated[
        Width, about("The word's pattern with runs collapsed, such as Xx, X.X. or 0-0.")
    ] = 0
    affixes: Annotated[
        Width,
        about(
            "Prefixes of 1 to 3 letters and suffixes of 1 to 4. Each of the seven has this width."
        ),
    ] = 0
    ngrams: Annotated[
        Width,
        about("The sum of embeddings of the word and of its character n-grams (3 to 5 letters), in a "
        "hashed table. Useful without vectors."),
    ] = 0  # fmt: skip
    clusters: Annotated[
        Width,
        about("The word's clusters in k-means clusterings of the vectors into 128, 512 and 2,048 "
        "clusters, each from two random starts. Each of the six has this width. Words with similar "
        "vectors share clusters, including words that the training text lacks. Needs vectors."),
    ] = 0  # fmt: skip
    memory: Annotated[
        bool,
        about("The share of each class among the word's occurrences in the training text, without "
        "those in the same document."),
    ] = False  # fmt: skip
    gazetteers: Annotated[
        Lists | None,
        about("Lists of phrases by name, such as {CITY: cities.txt, DRUG: [drugs.tsv, more.txt]}: one "
        "phrase per line. Each list marks the words of its phrases as begin, inside, end or single. A "
        "phrase in lower case matches any case. The phrases are stored in the model."),
    ] = None  # fmt: skip
    gazetteer_width: Annotated[
        Annotated[int, Meta(ge=1, le=512)],
        about("The width of the embedding of each list's marks."),
    ] = 4
    sentence: Annotated[
        Width,
        about(
            "Whether the sentence is in capitals or in title case, and whether it is the first of its "
            "document."
        ),
    ] = 0
    document: Annotated[
        Width,
        about(
            "Whether the document has the word elsewhere in lower case, capitalised, or in capitals."
        ),
    ] = 0
    neighbours: Annotated[
        bool,
        about("Mean vectors of the words to the left and right of this word's other occurrences in the "
              "document."),
    ] = False  # fmt: skip
    document_vector: Annotated[bool, about("Mean vector of the document.")] = False
