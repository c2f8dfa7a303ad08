"""Tag schemes: write entities as tags, and read entities from tags.

| scheme | an entity of one word | of three words | next to another of its class |
|---|---|---|---|
| IO | PER (or I-PER) | PER PER PER | the two become one |
| IOB1 | I-PER | I-PER I-PER I-PER | its first word is B-PER |
| IOB2 | B-PER | B-PER I-PER I-PER | |
| BIOES | S-PER | B-PER I-PER E-PER | |

BILOU (L for E, U for S) and BMES (M for I) are BIOES with other letters, and are read as BIOES.

Entities are read by the rules of conlleval (CoNLL-2000 shared task). These rules read every scheme. They
also define the meaning of irregular sequences, such as I- after O, and are the usual basis of scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Ids, Offsets, Span
from nertool.errors import CorpusError, did_you_mean

OUTSIDE = "O"
SCHEMES = ("io", "iob1", "iob2", "bioes")

_LETTERS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I"}


def split_tag(tag: str) -> tuple[str, str]:
    """Return (prefix, label): ("B", "PER") for B-PER, ("O", "") for O, ("I", "PER") for a bare PER."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, dash, label = tag.partition("-")
    if dash and prefix in _LETTERS and label:
        return _LETTERS[prefix], label
    return "I", tag


def checked_tag(tag: str, class_name: str | None = None) -> str:
    """Check a tag, and return it; a prefix without a class, such as B, gets `class_name` if that is given.

    Errors: CorpusError for an empty tag, or a prefix without a class when class_name is None. The message
    has no file:line; the caller adds it.
    """
    bare = tag.rstrip("-")
    if bare in _LETTERS and len(tag) - len(bare) <= 1:
        if class_name is not None:
            return f"{bare}-{class_name}"
        raise CorpusError(
            f'found the tag "{tag}", which names no class, expected O or a label such as PER or B-PER; '
            "correct the line, name the class of all such tags by --class-name (corpus.class_name), or "
            "choose another column by --tag-column (corpus.tag_column)"
        )
    if tag != OUTSIDE and (bare in {"", OUTSIDE, *_LETTERS} or tag.startswith(("-", "O-"))):
        raise CorpusError(
            f'found the tag "{tag}", expected O or a label such as PER, B-PER or I-PER; '
            "correct the line, or set corpus.tag_column if the tags are in another column"
        )
    return tag


class TagSpans:
    """The n entities of a tagged text.

    starts, ends (n,) int64: tokens, half-open. labels (n,) int32: indices into label_names.
    """

    def __init__(
        self, starts: Offsets, ends: Offsets, labels: Ids, label_names: list[str]
    ) -> None:
        self.starts, self.ends, self.labels, self.label_names = starts, ends, labels, label_names

    def __len__(self) -> int:
        return len(self.starts)

    def as_list(self) -> list[Span]:
        """Return the entities as a list of Span, in text order."""
        names = self.label_names
        columns = zip(self.starts.tolist(), self.ends.tolist(), self.labels.tolist(), strict=True)
        return [Span(start, end, names[label]) for start, end, label in columns]


def rows_by_label(spans: TagSpans) -> list[Offsets]:
    """Return, for each label, the indices of its spans in text order. One sort serves all labels."""
    order = np.argsort(spans.labels, kind="stable")
    counts = np.bincount(spans.labels, minlength=len(spans.label_names))
    return np.split(order, np.cumsum(counts)[:-1]) if len(counts) else []


def spans_of(tag_ids: Ids, tags: Sequence[str], sentence_starts: Offsets) -> TagSpans:
    """Read the entities of a text from its tags in any scheme, by conlleval's rules.

    tag_ids (N,): indices into tags. sentence_starts (S+1,): as in Corpus. A span starts where the label
    changes, at B or S, and after E or S. It ends before the first token that does not continue it.
    """
    pairs = [split_tag(tag) for tag in tags]
    label_names = sorted({label for _, label in pairs if label})
    number = {label: i for i, label in enumerate(label_names)}
    label_of = np.array([number.get(label, -1) for _, label in pairs] or [-1], dtype=np.int32)
    opens = np.array([prefix in "BS" for prefix, _ in pairs] or [False])
    closes = np.array([prefix in "ES" for prefix, _ in pairs] or [False])

    labels = label_of[tag_ids]                                    # (N,) −1 outside
    inside = labels >= 0
    first_of_sentence = np.zeros(len(tag_ids) + 1, dtype=bool)    # N+1: sentence_starts ends with N
    first_of_sentence[sentence_starts] = True
    # goes_on[i]: token i belongs to the same entity as token i−1.
    goes_on = np.zeros(len(tag_ids) + 1, dtype=bool)
    if len(tag_ids):
        goes_on[1:-1] = (
            inside[1:]
            & (labels[1:] == labels[:-1])
            & ~opens[tag_ids[1:]]
            & ~closes[tag_ids[:-1]]
        )
    goes_on &= ~first_of_sentence
    starts = np.flatnonzero(inside & ~goes_on[:-1])
    ends = np.flatnonzero(inside & ~goes_on[1:]) + 1
    return TagSpans(starts, ends, labels[starts], label_names)


def tag_names(labels: Sequence[str], scheme: str) -> list[str]:
    """List all tags that a scheme has for these labels: O first, then the tags of each label in turn."""
    if scheme == "io":
        return [OUTSIDE, *map(_io_tag, labels)]
    prefixes = {"iob1": "BI", "iob2": "BI", "bioes": "BIES"}[scheme]
    return [OUTSIDE] + [f"{prefix}-{label}" for label in labels for prefix in prefixes]


def _io_tag(label: str) -> str:
    """Return a label's tag in IO: the label, or I- and the label if it would be read as another tag."""
    bare = label.rstrip("-")
    plain = split_tag(label) == ("I", label) and bare not in {"", OUTSIDE, *_LETTERS}
    return label if plain and not label.startswith(("-", "O-")) else f"I-{label}"


def tags_of(
    spans: TagSpans, sentence_starts: Offsets, tags: Sequence[str], scheme: str
) -> Ids:
    """Write entities as tags: (N,) int32 indices into `tags`, which must contain tag_names(labels, scheme).

    Entities must be in order and must not overlap. In IO, adjacent entities of one class become one.
    """
    number = {tag: i for i, tag in enumerate(tags)}

    def ids(prefix: str) -> Ids:
        io = scheme == "io"
        names = [_io_tag(n) if io else f"{prefix}-{n}" for n in spans.label_names]
        return np.array([number.get(name, -1) for name in names], dtype=np.int32)[spans.labels]

    out = np.zeros(int(sentence_starts[-1]), dtype=np.int32)
    if not len(spans):
        return out
    lengths = spans.ends - spans.starts
    first = np.cumsum(lengths) - lengths
    inside = np.repeat(spans.starts - first, lengths) + np.arange(lengths.sum())
    out[inside] = np.repeat(ids("I"), lengths)
    if scheme == "iob2":
        out[spans.starts] = ids("B")
    elif scheme == "iob1":
        touching = _touching(spans, sentence_starts)
        out[spans.starts[touching]] = ids("B")[touching]
    elif scheme == "bioes":
        single = lengths == 1
        out[spans.starts] = np.where(single, ids("S"), ids("B"))
        out[spans.ends[~single] - 1] = ids("E")[~single]
    return out


def find_scheme(tag_ids: Ids, tags: Sequence[str], sentence_starts: Offsets) -> str:
    """Detect the scheme of a text's tags: one of SCHEMES.

    BIOES if there is an E or S (or L, U); IO if no tag has a prefix; IOB1 if B only separates adjacent
    entities of one class; IOB2 if B is on every entity. Tags with the prefix I- alone are the same in IO and
    IOB1; the result is IOB1.
    """
    used = [tags[i] for i in np.unique(tag_ids)]
    prefix = np.array([split_tag(tag)[0] for tag in tags] or [OUTSIDE])
    prefixes = {split_tag(tag)[0] for tag in used} - {OUTSIDE}
    if prefixes & {"E", "S"}:
        return "bioes"
    if all(split_tag(tag)[1] == tag for tag in used if tag != OUTSIDE):
        return "io"
    spans = spans_of(tag_ids, tags, sentence_starts)
    has_b = prefix[tag_ids[spans.starts]] == "B"
    # Real files contain mistakes: choose the scheme that fewer entities contradict.
    against_iob1 = has_b & ~_touching(spans, sentence_starts)
    against_iob2 = ~has_b
    return "iob1" if against_iob1.sum() < against_iob2.sum() else "iob2"


def irregular_starts(
    tag_ids: Ids, tags: Sequence[str], sentence_starts: Offsets, scheme: str
) -> list[int]:
    """List the first tokens of entities whose tag breaks the scheme, such as I- after O in IOB2."""
    spans = spans_of(tag_ids, tags, sentence_starts)
    names = tag_names(spans.label_names, scheme)
    regular = tags_of(spans, sentence_starts, names, scheme)
    return [
        int(i)
        for i in spans.starts
        if split_tag(tags[tag_ids[i]]) != split_tag(names[regular[i]])
    ]


def _touching(spans: TagSpans, sentence_starts: Offsets) -> NDArray[np.bool_]:
    """Mark the entities that directly follow an entity of the same class in the same sentence: (n,) bool."""
    touching = np.zeros(len(spans), dtype=bool)
    touching[1:] = (spans.starts[1:] == spans.ends[:-1]) & (spans.labels[1:] == spans.labels[:-1])
    return touching & ~np.isin(spans.starts, sentence_starts)


def check_scheme(corpus: Corpus, scheme: str) -> None:
    """Check that all tags belong to the scheme that the user has set.

    Errors: CorpusError that names the first token whose tag does not.
    """
    letters = {"io": "I", "iob1": "BI", "iob2": "BI", "bioes": "BIES"}[scheme] + OUTSIDE
    odd = np.array([split_tag(tag)[0] not in letters for tag in corpus.tags])
    if odd[corpus.tag_ids].any():
        token = int(odd[corpus.tag_ids].argmax())
        raise CorpusError(
            f'{corpus.place(token)}: found the tag "{corpus.tags[corpus.tag_ids[token]]}", expected a '
            f"tag of the scheme {scheme}; set corpus.scheme to auto, or to the file's own scheme"
        )


def keep_labels(corpus: Corpus, labels: Sequence[str], report: Callable[[str], None]) -> Corpus:
    """Keep these classes only: the tags of all others become O, and their tokens are counted in a report.

    Errors: CorpusError if one of the classes does not occur.
    """
    found = {split_tag(tag)[1] for tag in corpus.tags} - {""}
    for label in labels:
        if label not in found:
            raise CorpusError(
                f'{corpus.source}: found no entity "{label}", expected those of corpus.labels'
                f"{did_you_mean(label, found) or '; it has ' + (', '.join(sorted(found)) or 'none')}"
            )
    kept = {"", *labels}
    other = np.array([split_tag(tag)[1] not in kept for tag in corpus.tags])
    tags = [OUTSIDE if drop else tag for tag, drop in zip(corpus.tags, other, strict=True)]
    dropped = sorted(found - set(labels))
    if dropped:
        report(
            f"{corpus.source}: {int(other[corpus.tag_ids].sum()):,} tokens of {', '.join(dropped)} "
            "taken as O (corpus.labels)"
        )
    return replace(corpus, tags=tags)
