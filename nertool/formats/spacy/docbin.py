"""spaCy's binary files of documents (DocBin, `.spacy`), read and written by spaCy (the extra `spacy`).

Such a file is compressed MessagePack, which holds no code. nertool reads the documents' user data as plain
values without spaCy, so that no extension of spaCy's reader is called.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from nertool.corpus.annotated import RecordView
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import GOLD, Reading, Record
from nertool.errors import CorpusError
from nertool.files.limits import limits
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.objects import record_or_none
from nertool.formats.json.parse import parse_json
from nertool.formats.json.text import dump
from nertool.formats.spacy.doc_json import kept_of
from nertool.formats.spacy.tokens import SPACY, SpacyTokens, first_tokens, spacy_tokens

OWN = "nertool"  # the name of the user data and of the span group with scores that nertool writes


def detect(head: Head) -> str | None:
    """Recognise compressed MessagePack that begins like spaCy's: an object whose first key is "version"."""
    if head.raw[:1] != b"\x78":
        return None
    try:
        begin = zlib.decompressobj().decompress(head.raw[:256], 32)
    except zlib.error:
        return None
    return "spaCy's documents" if begin[:1] >= b"\x80" and begin[1:9] == b"\xa7version" else None


def load_spacy() -> Any:
    """Import spaCy. Errors: CorpusError that says how to install it."""
    try:
        import spacy
        import spacy.tokens
    except ImportError:
        raise CorpusError(
            "spaCy's documents need spaCy; install it with: pip install 'nertool[spacy]'"
        ) from None
    return spacy


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each document as a record, with its tokens and sentences as in the file.

    Documents without entity annotation have no labels. Errors: CorpusError for an invalid file.
    """
    spacy = load_spacy()
    raw = stream.read()
    try:
        bin_ = spacy.tokens.DocBin().from_bytes(_checked(raw, source))
        user_data, bin_.user_data = list(bin_.user_data), []
        docs = bin_.get_docs(spacy.vocab.Vocab())
        before: dict[str, Any] | None = None
        for number in range(1, len(bin_) + 1):
            place = f"{source}:#{number}"
            doc = next(docs)
            value = doc.to_json()
            if any(ent.kb_id or ent.id for ent in doc.ents):
                ledger.refuse(place, "entities' ids and links to a knowledge base")
            data = user_data[number - 1] if number <= len(user_data) else None
            value = {**_fields(data, place, ledger), **value}
            record = record_or_none(value, number, place, reading, ledger, before)
            if record is not None:
                before = record.fields
                yield record
    except CorpusError:
        raise
    except (
        Exception
    ) as error:  # spaCy does not validate the file: a damaged one may cause any exception
        raise CorpusError(
            f"{source}: damaged, or no file of spaCy's DocBin ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:100]})"
        ) from None


def _checked(raw: bytes, source: str) -> bytes:
    """Refuse a file that would exceed the limits when unpacked, because spaCy unpacks it as a whole."""
    most = limits()
    bound = min(most.unpacked, max(most.free, most.ratio * len(raw)))
    unpacking, size, rest = zlib.decompressobj(), 0, raw
    while rest and size <= bound:
        size += len(unpacking.decompress(rest, 1 << 20))
        rest = unpacking.unconsumed_tail
    if size > bound:
        raise CorpusError(
            f"{source}: found a file that unpacks to more than {bound:,} bytes, expected documents; allow "
            "it with NERTOOL_MAX_UNPACKED=BYTES"
        )
    return raw


def _fields(data: bytes | None, place: str, ledger: Ledger) -> dict[str, Any]:
    """Return the fields that nertool wrote into a document's user data. Other entries are counted."""
    if not data:
        return {}
    import msgspec

    try:
        found = msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, TypeError):
        found = {"?": None}
    fields: dict[str, Any] = {}
    for key, entry in found.items() if isinstance(found, dict) else ():
        if key == OWN and isinstance(entry, str):
            value = parse_json(entry, place)
            fields |= value if isinstance(value, dict) else {}
        else:
            ledger.refuse(place, "entries of user data", str(key))
    return fields


def write(pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO) -> None:
    """Write each record as a document, with its other annotation from the input.

    Predicted entities are also in the span group "nertool", with their probabilities as scores. The input's
    own entities are then in the span group "gold".
    """
    spacy = load_spacy()
    vocab = spacy.vocab.Vocab()
    bin_ = spacy.tokens.DocBin(store_user_data=True)
    for view in record_views(pieces, writing):
        bin_.add(_doc(spacy, vocab, view, ledger))
    stream.write(bin_.to_bytes())


def _doc(spacy: Any, vocab: Any, view: RecordView, ledger: Ledger) -> Any:
    cut = spacy_tokens(view.text, view.places)
    kept = kept_of(view, cut)
    words = [_encodable(view.text[start:end]) for start, end, _ in cut.tokens]
    spaces = [blank for _, _, blank in cut.tokens]
    firsts = {0, *first_tokens(cut, view.sentences)}
    starts = [i in firsts for i in range(len(words))]
    try:
        doc = spacy.tokens.Doc(vocab, words=words, spaces=spaces, **_annotation(kept, starts))
    except (ValueError, KeyError, TypeError, OverflowError, AttributeError) as error:
        ledger.refuse(
            f"record {view.number}", "annotation of tokens that spaCy refuses", str(error)
        )
        doc = spacy.tokens.Doc(vocab, words=words, spaces=spaces, sent_starts=starts)
    if isinstance(kept.get("cats"), dict):
        doc.cats = {str(k): float(v) for k, v in kept["cats"].items() if isinstance(v, int | float)}
    spans = [
        spacy.tokens.Span(doc, *_tokens(cut, e.token_start, e.token_end), label=e.label)
        for e in view.entities
    ]
    doc.ents = spans  # an empty list means that there are no entities
    for name, group in (kept.get("spans") or {}).items():
        doc.spans[name] = list(_char_spans(doc, group))
    fields = {k: v for k, v in view.fields.items() if k != SPACY}
    if view.predicted:
        scores = [e.probability for e in view.entities]
        doc.spans[OWN] = spacy.tokens.SpanGroup(
            doc, name=OWN, spans=spans, attrs={"scores": scores}
        )
        gold = list(_char_spans(doc, fields.get(GOLD)))
        if gold and len(gold) == len(fields[GOLD]):
            doc.spans[GOLD] = gold
    if fields:
        doc.user_data[OWN] = dump(fields)
    return doc


def _annotation(kept: dict[str, Any], starts: list[bool]) -> dict[str, Any]:
    """Return the arguments of spaCy's Doc for the annotation of tokens.

    Sentence starts are passed only without dependencies, because spaCy derives sentences from these.
    """
    tokens = kept.get("tokens") or []
    names = {
        "tag": "tags",
        "pos": "pos",
        "morph": "morphs",
        "lemma": "lemmas",
        "head": "heads",
        "dep": "deps",
    }
    out: dict[str, Any] = {
        names[key]: [token[key] for token in tokens] for key in names if tokens and key in tokens[0]
    }
    return out if "deps" in out else {**out, "sent_starts": starts}


def _tokens(cut: SpacyTokens, start: int, end: int) -> tuple[int, int]:
    return cut.numbers[start], cut.numbers[end - 1] + 1


def _char_spans(doc: Any, entries: Any) -> Iterator[Any]:
    """Yield spaCy spans for entries with start, end and label. Spans with partial tokens are skipped."""
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, list) and len(entry) == 3:
            entry = dict(zip(("start", "end", "label"), entry, strict=True))
        places = (entry.get("start"), entry.get("end")) if isinstance(entry, dict) else (None, None)
        label = entry.get("label") if isinstance(entry, dict) else None
        if not all(type(place) is int for place in places) or not isinstance(label, str):
            continue
        span = doc.char_span(*places, label=label, kb_id=entry.get("kb_id") or 0)
        if span is not None:
            yield span


def _encodable(word: str) -> str:
    """Replace lone surrogates, which UTF-8 can't hold."""
    return word.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
