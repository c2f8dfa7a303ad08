"""The names of all choices: file formats, tag schemes, what to do with misaligned entities.

This module imports only the standard library, so that help texts and usage errors appear without loading
numpy. formats/registry.py binds these records to the readers and writers of the formats.

To add a file format, write one module below nertool/formats, with the functions that
formats/registry.py names, and add one record to FORMATS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from nertool.errors import CorpusError, did_you_mean

SCHEMES = ("io", "iob1", "iob2", "bioes")
MISALIGNED = ("error", "snap", "drop")
OFFSETS = ("auto", "characters", "utf16", "bytes")  # the unit that entity offsets count
MODES = ("conlleval", "strict", "exact-boundary", "partial", "type")  # criteria of a correct entity
NER_KEYS = ("NER", "NE", "name")  # possible keys of the tag in CoNLL-U's column MISC
UNITS = ("sentence", "document")  # what the bootstrap resamples
# The steps of the lookup of a word's vector, in order.
LOOKUP = ("exact", "nfc", "lower", "title", "digits", "hyphen", "suffix", "subwords")

AUTO = "auto"  # in place of a format's name: detect the format from the input's first bytes

Container = Literal["text", "binary", "folder"]
Kept = Literal[
    "text", "texts", "ids", "fields", "documents", "sentences", "tokens", "probabilities",
    "alternatives", "gold",
]  # fmt: skip


class Format(NamedTuple):
    """One file format.

    name: the name in options and configs. other_names: accepted synonyms. title: a description in words.
    module: the module below nertool.formats with the format's functions. ending: the file extension.
    container: a stream of text, a stream of bytes, or a folder.
    reads, writes: whether nertool reads and writes the format.
    labelled: whether files of this format hold labels. False for text, lines and raw.
    keeps: what the writer keeps besides words and entities. formats/losses.py counts what is not kept.
      text: the whitespace between words. Whitespace around sentences is kept only together with `texts`.
      texts: the boundaries of texts, so that one text remains one.
      ids: the field id. fields: all fields. gold: at least the field with the input's own labels beside a
      prediction. documents: which texts belong to one document. sentences, tokens: their boundaries.
      probabilities: of entities. alternatives: what `predict --n-best` and `--marginals` add.
    probabilities_on_request: whether `predict` writes probabilities only if the user asks for them.
    heads: whether `predict` writes a head before each document of such an input, in text outputs. False
    if an input is a single document, or marks its documents itself.
    piecewise: whether parts of an output can be written separately and concatenated afterwards.
    written_as: the default output format of `predict` for such an input.
    extra: the optional dependency that the format needs, as in pip install 'nertool[extra]'.
    other_endings: further file extensions of this format.
    chosen_by_ending: whether an output file with the extension `ending` is written in this format if the
    user names no format.
    """

    name: str
    title: str
    module: str
    ending: str
    container: Container = "text"
    other_names: tuple[str, ...] = ()
    reads: bool = True
    writes: bool = True
    labelled: bool = True
    keeps: frozenset[Kept] = frozenset()
    piecewise: bool = False
    written_as: str = "jsonl"
    heads: bool = True
    probabilities_on_request: bool = False
    extra: str = ""
    other_endings: tuple[str, ...] = ()
    chosen_by_ending: bool = False


def _all_but(*lost: Kept) -> frozenset[Kept]:
    return frozenset(get_args(Kept)) - frozenset(lost)


# In the order of detection: the first format that recognises an input is used.
FORMATS: tuple[Format, ...] = (
    Format(
        "brat", "brat's .txt and .ann", "standoff.brat", "", "folder",
        keeps=frozenset({"text", "ids", "documents"}),
    ),
    Format(
        "parquet", "Parquet", "tables.parquet", ".parquet", "binary",
        keeps=_all_but(), extra="arrow", written_as="parquet", chosen_by_ending=True,
    ),
    Format(
        "hf-parquet", "Hugging Face's token classification in Parquet", "tables.hf_parquet", ".parquet",
        "binary", keeps=_all_but("text", "texts", "probabilities", "alternatives"), extra="arrow",
        written_as="hf-parquet",
    ),
    Format(
        "hf-disk", "a folder of Hugging Face's datasets (save_to_disk)", "tables.hf_disk", "", "folder",
        other_names=("save_to_disk",), keeps=_all_but(), extra="arrow", written_as="hf-disk",
    ),
    Format(
        "docbin", "spaCy's DocBin", "spacy.docbin", ".spacy", "binary",
        keeps=_all_but("alternatives"), extra="spacy", written_as="docbin", chosen_by_ending=True,
    ),
    Format(
        "label-studio", "Label Studio's JSON", "json.label_studio", ".json",
        keeps=_all_but("sentences", "tokens", "alternatives"), written_as="label-studio",
    ),
    Format(
        "bioc", "BioC in JSON", "json.bioc", ".json",
        keeps=frozenset({"text", "texts", "ids", "documents", "gold"}), written_as="bioc",
    ),
    Format(
        "bioc-xml", "BioC in XML", "markup.bioc_xml", ".xml", writes=False, written_as="bioc",
    ),
    Format(
        "json", "a JSON list", "json.json_list", ".json",
        keeps=_all_but(), written_as="json", chosen_by_ending=True,
    ),
    Format(
        "jsonl", "JSON lines", "json.jsonl", ".jsonl",
        keeps=_all_but(), piecewise=True, other_endings=(".ndjson",), chosen_by_ending=True,
    ),
    Format(
        "doccano", "doccano's JSON lines", "json.doccano", ".jsonl",
        keeps=_all_but("sentences", "tokens", "probabilities", "alternatives"),
    ),
    Format(
        "spacy", "spaCy's and Prodigy's JSON lines", "json.prodigy", ".jsonl", other_names=("prodigy",),
        keeps=_all_but("probabilities", "alternatives"), piecewise=True,
    ),
    Format(
        "spacy-json", "spaCy's documents in JSON (Doc.to_json), one a line", "spacy.doc_json", ".jsonl",
        keeps=_all_but("probabilities", "alternatives"), piecewise=True,
    ),
    Format(
        "hf", "Hugging Face's token classification", "json.hf", ".jsonl",
        keeps=_all_but("text", "texts", "probabilities", "alternatives"),
    ),
    Format(
        "gliner", "GLiNER's training data", "json.gliner", ".json",
        keeps=_all_but("text", "texts", "probabilities", "alternatives"),
    ),
    Format(
        "csv", "a table of texts with a header (CSV, TSV)", "tables.csv", ".csv",
        keeps=frozenset({"text", "texts", "ids"}), written_as="csv",
        other_endings=(".tsv",), chosen_by_ending=True,
    ),
    Format(
        "webanno", "WebAnno TSV 3, as of INCEpTION", "conll.webanno", ".tsv",
        keeps=frozenset({"text", "sentences", "tokens"}), written_as="webanno",
    ),
    Format(
        "pubtator", "PubTator", "standoff.pubtator", ".txt",
        keeps=frozenset({"text", "ids", "documents"}), written_as="pubtator",
    ),
    Format(
        "opennlp", "OpenNLP's <START:class> … <END>", "markup.opennlp", ".txt",
        keeps=frozenset({"documents", "sentences", "tokens"}), written_as="opennlp",
    ),
    Format(
        "xml", "XML elements, such as <ENAMEX TYPE=…>", "markup.xml", ".xml",
        keeps=frozenset({"text", "ids", "documents", "sentences"}), written_as="xml",
        other_endings=(".sgml", ".txt"), chosen_by_ending=True,
    ),
    Format(
        "conllu", "CoNLL-U", "conll.conllu", ".conllu",
        keeps=_all_but("texts", "probabilities", "alternatives", "gold"), written_as="conllu",
        chosen_by_ending=True,
    ),
    Format(
        "word-tag", "word/TAG, word|TAG and word|POS|TAG lines", "markup.slashed", ".txt",
        keeps=frozenset({"documents", "sentences", "tokens"}), written_as="word-tag",
    ),
    Format(
        "conll", "CoNLL columns", "conll.columns", ".conll",
        keeps=frozenset({"documents", "sentences", "tokens", "probabilities"}), piecewise=True,
        written_as="conll", heads=False,
        probabilities_on_request=True, other_endings=(".txt", ".tsv", ".csv", ".iob", ".bio", ".iob2"),
        chosen_by_ending=True,
    ),
    Format(
        "rasa", "Rasa's training data (Markdown, YAML)", "markup.rasa", "", writes=False,
    ),
    Format(
        "inline", "sentences with [words](LABEL)", "markup.inline", ".txt",
        keeps=frozenset({"text", "ids", "documents", "sentences"}), written_as="inline",
    ),
    Format(
        "text", "one sentence per line, words separated by spaces", "plain.text", ".txt",
        writes=False, labelled=False, written_as="inline", heads=False,
    ),
    Format(
        "lines", "one text per line", "plain.lines", ".txt",
        writes=False, labelled=False, written_as="inline",
    ),
    Format(
        "raw", "running text", "plain.raw", ".txt",
        writes=False, labelled=False, written_as="inline", heads=False,
    ),
    Format(
        "spans", "a table with a row for each entity", "standoff.spans", ".tsv",
        reads=False, keeps=frozenset({"probabilities"}), chosen_by_ending=True,
    ),
    Format(
        "html", "a page to look at", "markup.html", ".html",
        reads=False, keeps=frozenset({"text", "probabilities"}), chosen_by_ending=True,
    ),
)  # fmt: skip

Formats = Sequence[Format]


def find_format(name: str, formats: Formats = FORMATS) -> Format:
    """Return the format with this name. Errors: CorpusError that lists the known names."""
    for known in formats:
        if name == known.name or name in known.other_names:
            return known
    names = names_of(formats)
    near = did_you_mean(name, names)
    raise CorpusError(f"found the format {name}, expected one of {', '.join(names)}{near}")


def format_of_ending(ending: str, formats: Formats = FORMATS) -> Format | None:
    """Return the format that an output's file extension selects, or None if it selects none, like .txt."""
    return next((f for f in formats if f.chosen_by_ending and f.ending == ending != ""), None)


def names_of(formats: Formats) -> tuple[str, ...]:
    """List the formats' names, followed by their synonyms."""
    others = [name for known in formats for name in known.other_names]
    return (*(known.name for known in formats), *others)


INPUT_FORMATS = (AUTO, *names_of([known for known in FORMATS if known.reads]))
LABELLED_INPUTS = (AUTO, *names_of([k for k in FORMATS if k.reads and k.labelled]))
OUTPUT_FORMATS = names_of([known for known in FORMATS if known.writes])
