"""Checks of the text: duplicates, leaks between parts, odd characters, outliers, different tokenisation."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from nertool.corpus.invisible import is_blank_text
from nertool.corpus.parts.part import CorpusPart
from nertool.corpus.tokens import tokenize
from nertool.doctor.findings import Finding, some

# The least number of tokens of a sentence whose duplicates count: shorter ones are often equal by chance.
_COPY = 5
_LONG_SENTENCE = 150
_LONG_TOKEN = 40
_CHANCE = 0.001  # share of the words: fewer differences in tokenisation are not reported
_LEAK = 0.05  # share of a part's sentences: if more leak, scores on this part are too high
_LINK = re.compile(r"https?://|www\.|/\w+/")


def copies(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find sentences that occur more than once in a part, with equal or with conflicting labels."""
    findings = []
    for part in parts:
        by_key: dict[bytes, list[int]] = defaultdict(list)
        lengths = np.diff(part.corpus.sentence_starts)
        keys = part.sentence_keys()
        for i, key in enumerate(keys):
            by_key[key].append(i)
        extra, conflicts = 0, []
        starts = part.corpus.sentence_starts
        for alike in by_key.values():
            if len(alike) == 1:
                continue
            labels = [_entities(part, int(starts[i]), int(starts[i + 1])) for i in alike]
            other = next(
                (i for i, own in zip(alike, labels, strict=True) if own != labels[0]), None
            )
            if other is not None and lengths[alike[0]] > 1:
                conflicts.append(
                    f"{part.sentence_place(alike[0])} and {part.sentence_place(other)}"
                )
            if lengths[alike[0]] >= _COPY:
                extra += len(alike) - 1
        if conflicts:
            findings.append(
                Finding(
                    "conflict",
                    True,
                    f"{part.name}: {len(conflicts):,} sentence{'s' * (len(conflicts) != 1)} with several "
                    "labellings: the same words, other entities",
                    len(conflicts),
                    some(conflicts),
                )
            )
        if extra:
            places = (
                f"{part.sentence_place(alike[0])} and {part.sentence_place(alike[1])}"
                for alike in by_key.values()
                if len(alike) > 1 and lengths[alike[0]] >= _COPY
            )
            share = 100 * extra / part.corpus.sentences
            findings.append(
                Finding(
                    "copies",
                    False,
                    f"{part.name}: {extra:,} sentences ({share:.1f} %) of {_COPY} words or more "
                    "repeat another",
                    extra,
                    some(places),
                )
            )
    return findings


def _entities(part: CorpusPart, start: int, end: int) -> list[tuple[int, int, str]]:
    a, b = np.searchsorted(part.spans.starts, [start, end]).tolist()
    spans = part.spans
    return [
        (
            int(spans.starts[i]) - start,
            int(spans.ends[i]) - start,
            spans.label_names[spans.labels[i]],
        )
        for i in range(a, b)
    ]


def leaks(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find sentences that occur in two parts: scores on them do not show how a model does on new text."""
    findings = []
    keys = [
        {
            key: i
            for i, (key, n) in enumerate(
                zip(part.sentence_keys(), np.diff(part.corpus.sentence_starts), strict=True)
            )
            if n >= _COPY
        }
        for part in parts
    ]
    for b in range(1, len(parts)):
        for a in range(b):
            shared = [key for key in keys[b] if key in keys[a]]
            if not shared:
                continue
            share = len(shared) / max(1, len(keys[b]))
            places = (
                f"{parts[b].sentence_place(keys[b][k])} is {parts[a].sentence_place(keys[a][k])}"
                for k in shared
            )
            findings.append(
                Finding(
                    "leak",
                    share > _LEAK,
                    f"{parts[b].name}: {len(shared):,} sentences ({100 * share:.1f} %) of {_COPY} words or "
                    f"more are also in {parts[a].name}",
                    len(shared),
                    some(places),
                )
            )
    return findings


def _bare(code: int) -> Callable[[str], bool]:
    return lambda word: chr(code) in word


def _any_of_pattern(pattern: str) -> Callable[[str], bool]:
    search = re.compile(pattern).search
    return lambda word: bool(search(word))


def _any_of(characters: str) -> Callable[[str], bool]:
    return _any_of_pattern(f"[{characters}]")


# Joiners are part of words in Arabic and Indic scripts, and of emoji. They don't belong at the start or end
# of a word, nor next to other letters.
_UNJOINED = "0-9A-Za-z\u00c0-\u05ff\u1e00-\u1fff"
_LONE_JOINER = (
    f"^[\u200c\u200d]|[\u200c\u200d]$|[{_UNJOINED}][\u200c\u200d]|[\u200c\u200d][{_UNJOINED}]"
)

# Invisible characters without an entry of their own in _ODD. Joiners, variation selectors and tag characters
# are not among them.
_OTHERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180e\u2065\u3164\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
_ODD: list[tuple[str, bool, Callable[[str], bool]]] = [
    ("a byte-order mark (U+FEFF)", True, _bare(0xFEFF)),
    ("the replacement character (U+FFFD): text lost in a conversion", True, _bare(0xFFFD)),
    ("control characters", True, _any_of("\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f")),
    ("zero-width characters (U+200B, U+2060)", True, _any_of("\u200b\u2060-\u2064")),
    ("soft hyphens (U+00AD)", True, _bare(0xAD)),
    (
        "signs of the writing direction (U+200E, U+202A)",
        False,
        _any_of("\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"),
    ),
    ("other invisible characters", False, lambda word: bool(_OTHERS.search(word))),
    ("joiners (U+200C, U+200D) that join nothing", False, _any_of_pattern(_LONE_JOINER)),
    ("nothing but invisible characters", True, is_blank_text),
    ("no-break spaces (U+00A0)", True, _bare(0xA0)),
    ("UTF-8 read as Latin-1 (Ã©)", True, _any_of_pattern("[ÂÃ][\u0080-\u00bf]|â€")),
]


def odd_characters(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find invisible characters and other odd ones, and words that are not in normal form C (NFC).

    nertool's lookups ignore both (corpus/invisible.py), but other programs do not. Joiners within a word and
    variation selectors after a character are accepted: words of some languages, and emoji, need them.
    """
    findings = []
    for part in parts:
        corpus = part.corpus
        plain = np.array([word.isascii() for word in corpus.words], dtype=bool)
        for what, serious, is_odd in _ODD:
            hit = np.array([is_odd(word) for word in corpus.words], dtype=bool)
            findings += _words_found(part, hit, "odd-character", f"words with {what}", serious)
        composed = np.array([unicodedata.is_normalized("NFC", w) for w in corpus.words], dtype=bool)
        also = any(
            not unicodedata.is_normalized("NFD", corpus.words[i])
            for i in np.flatnonzero(composed & ~plain).tolist()
        )
        what = "words in decomposed letters" + (
            ", others in composed ones" if also else " (not NFC)"
        )
        findings += _words_found(part, ~composed, "normal-form", what, also)
    return findings


def _words_found(
    part: CorpusPart, hit: np.ndarray, kind: str, what: str, serious: bool
) -> list[Finding]:
    tokens = np.flatnonzero(hit[part.corpus.word_ids]) if hit.any() else ()
    if not len(tokens):
        return []
    places = (
        f"{part.corpus.place(int(i))} ({_shown(part.corpus.words[part.corpus.word_ids[i]])})"
        for i in tokens
    )
    noun = what if len(tokens) != 1 else what.replace("words", "word", 1)
    message = f"{part.name}: {len(tokens):,} {noun}"
    return [Finding(kind, serious, message, len(tokens), some(places))]


def _shown(word: str) -> str:
    """Return a word, cut to 30 characters, with unprintable and combining characters escaped."""
    short = word if len(word) <= 30 else f"{word[:29]}…"
    return "".join(
        c if c.isprintable() and not unicodedata.combining(c) else f"\\u{ord(c):04x}" for c in short
    )


def outliers(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find overlong sentences, words and entities, and words with whitespace inside."""
    findings = []
    for part in parts:
        lengths = np.diff(part.corpus.sentence_starts)
        long = np.flatnonzero(lengths > _LONG_SENTENCE)
        if len(long):
            places = (f"{part.sentence_place(int(i))} ({lengths[i]:,} words)" for i in long)
            findings.append(
                Finding(
                    "long-sentence",
                    bool((lengths > 4 * _LONG_SENTENCE).any()),
                    f"{part.name}: {len(long):,} sentence{'s' * (len(long) != 1)} of more than "
                    f"{_LONG_SENTENCE} words: is a blank line missing?",
                    len(long),
                    some(places),
                )
            )
        words = part.corpus.words
        hit = np.array([len(w) > _LONG_TOKEN and not _is_link(w) for w in words], dtype=bool)
        what = f"words of more than {_LONG_TOKEN} characters"
        findings += _words_found(part, hit, "long-word", what, False)
        blank = np.array([any(c.isspace() for c in w) for w in words], dtype=bool)
        findings += _words_found(part, blank, "blank-in-word", "words with a blank inside", False)
        lengths = part.spans.ends - part.spans.starts
        wide = np.flatnonzero(lengths > 20)
        if len(wide):
            at = (
                f"{part.corpus.place(int(part.spans.starts[i]))} ({lengths[i]} words)" for i in wide
            )
            findings.append(
                Finding(
                    "long-entity",
                    True,
                    f"{part.name}: {len(wide):,} entities of more than 20 words",
                    len(wide),
                    some(at),
                )
            )
    return findings


def habits(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Compare the corpus's tokenisation with that of nertool's tokeniser, which cuts raw text.

    Where the two differ, entities in raw text are missed.
    """
    findings = []
    for part in parts:
        corpus = part.corpus
        if corpus.records is not None and corpus.records.tokenized:
            continue  # the same tokeniser made these tokens
        counts = np.bincount(corpus.word_ids, minlength=len(corpus.words))
        # Each word is tokenised with a word after it, since at the end of a text the dot of "J." is cut off.
        cut = {
            i: [word[a:b] for a, b in places[:-1]]
            for i, word in enumerate(corpus.words)
            if len(places := tokenize(f"{word} Xx")) > 2
        }
        apart = int(sum(counts[i] for i in cut))
        joined = _cut_further(part)
        total = apart + sum(joined.values())
        if total <= _CHANCE * corpus.tokens:
            continue
        examples = sorted(cut, key=lambda i: -counts[i])[:4]
        shown = [f"{corpus.words[i]} → {' '.join(cut[i])} ({counts[i]:,})" for i in examples]
        shown += [f"{pair} → {pair.replace(' ', '')} ({n:,})" for pair, n in joined.most_common(3)]
        share = 100 * total / corpus.tokens
        findings.append(
            Finding(
                "habits",
                share > 2,
                f"{part.name}: raw text will be cut into words otherwise at {total:,} places ({share:.2f} % "
                "of the words); text that is to be tagged is best cut as this is",
                total,
                tuple(shown),
            )
        )
    return findings


def _cut_further(part: CorpusPart) -> Counter[str]:
    """Count pairs of a word and a dot that the tokeniser would keep as one token: "U.S ." for "U.S."."""
    corpus = part.corpus
    dots = {i for i, word in enumerate(corpus.words) if word == "."}
    if not dots:
        return Counter()
    ids = corpus.word_ids
    second = np.isin(ids, list(dots))
    second[corpus.sentence_starts[:-1]] = False
    # A dot at the end of a sentence is a token of its own in any tokenisation.
    last = corpus.sentence_starts[1:] - 1
    second[last] = False
    found: Counter[str] = Counter()
    pairs = Counter(zip(ids[:-1][second[1:]].tolist(), ids[1:][second[1:]].tolist(), strict=True))
    for (a, b), n in pairs.items():
        word = corpus.words[a]
        if word[-1:].isalnum() and len(tokenize(f"{word}.")) == 1:
            found[f"{word} {corpus.words[b]}"] += n
    return found


def _is_link(word: str) -> bool:
    """Tell whether a word is a URL, a path, or an e-mail address (an @ with a dot later on)."""
    at = word.find("@", 1)
    return bool(_LINK.match(word)) or 0 < at < word.rfind(".") - 1
