"""Checks of the labels: misspelt labels, tags that the scheme does not allow, inconsistent labels."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from nertool.corpus.parts.part import CorpusPart
from nertool.corpus.schemes import rows_by_label, split_tag, tag_names, tags_of
from nertool.doctor.findings import EXAMPLES, Finding, some

_FEW = 10  # a class with fewer entities is hardly learnt
_USUAL = 0.9  # where one label has this share of a phrase's occurrences, other labels are suspect
_OFTEN = 5  # a phrase must occur more often than this for its usual label to count
_COMMON = 20  # a rare label can be a misspelling only of a label with at least this many entities
_COMPARED = 500  # with more labels than this, not every pair is compared
_SHOWN = 20  # the maximum number of labels that one finding lists


def label_slips(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find rare labels that look like a common one, such as PRE for PER, and other spellings of a label,
    however frequent, such as Person beside PERSON.

    With more than _COMPARED labels, only labels that consist of the same letters are compared (case is
    ignored), because comparing every pair would take too long.
    """
    counts = label_counts(parts)
    places = _places_by_label(parts)
    findings = []
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    common_ones = [label for label, n in counts.items() if n >= _COMMON]
    for label in common_ones:
        alike[_letters(label)].append(label)
    by_name: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        by_name[_name(label)].append(label)
    many = len(counts) > _COMPARED
    if many:
        findings.append(
            Finding(
                "many-labels",
                False,
                f"found {len(counts):,} labels; are these classes of entities? Similar spellings are "
                f"compared among {_COMPARED} labels at most",
            )
        )
    for label, n in sorted(counts.items()):
        others = alike[_letters(label)] if many else common_ones
        common = [other for other in others if counts[other] >= 10 * n]
        near = _same_name(label, by_name[_name(label)], counts) or [
            other for other in common if _is_slip(label, other)
        ]
        if near:
            findings.append(
                Finding(
                    "label-typo",
                    True,
                    f'the label "{label}" occurs {_times(n)}: did you mean "{near[0]}" '
                    f"({counts[near[0]]:,})?",
                    n,
                    some(places[label]),
                )
            )
    return findings


def _name(label: str) -> str:
    """Return what remains of a label without case, width of letters, blanks, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", label).casefold())


def _same_name(label: str, others: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """Return the most frequent spelling of a label, unless it is this one: PERSON for Person."""
    most = min(others, key=lambda other: (-counts[other], other))
    return [] if most == label else [most]


def _letters(label: str) -> tuple[str, ...]:
    """Return a label's letters in lower case and sorted: equal for PER, per and PRE."""
    return tuple(sorted(label.lower()))


def _is_slip(label: str, other: str) -> bool:
    if _letters(label) == _letters(other):
        return True  # letters swapped
    a, b = label.lower(), other.lower()
    return len(a) > 2 and difflib.SequenceMatcher(None, a, b).ratio() >= 0.8


def label_counts(parts: Sequence[CorpusPart]) -> dict[str, int]:
    """Count the entities of each class over all parts."""
    counts: Counter[str] = Counter()
    for part in parts:
        names = part.spans.label_names
        for label, n in zip(
            names, np.bincount(part.spans.labels, minlength=len(names)), strict=True
        ):
            counts[label] += int(n)
    return dict(counts)


def _places_by_label(parts: Sequence[CorpusPart]) -> dict[str, list[str]]:
    """Map each class to the places of its first EXAMPLES entities in each part."""
    places: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        spans = part.spans
        for label, own in zip(spans.label_names, rows_by_label(spans), strict=True):
            places[label] += [part.corpus.place(int(i)) for i in spans.starts[own[:EXAMPLES]]]
    return places


def _listed(labels: Sequence[str]) -> str:
    """Join labels with commas. Only the first _SHOWN are listed."""
    more = f", and {len(labels) - _SHOWN:,} more" if len(labels) > _SHOWN else ""
    return ", ".join(labels[:_SHOWN]) + more


def transitions(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find tags that the part's scheme does not allow at their position, such as I- after O in IOB2."""
    findings = []
    for part in parts:
        corpus = part.corpus
        names = tag_names(part.spans.label_names, part.scheme)
        regular = tags_of(part.spans, corpus.sentence_starts, names, part.scheme)
        numbers = {pair: i for i, pair in enumerate({split_tag(t) for t in (*names, *corpus.tags)})}
        own = np.array([numbers[split_tag(tag)] for tag in corpus.tags])[corpus.tag_ids]
        expected = np.array([numbers[split_tag(name)] for name in names])[regular]
        odd = np.flatnonzero(own != expected)
        if not len(odd):
            continue
        share = len(odd) / max(1, int((own != numbers["O", ""]).sum()))
        mixed = "; is it tagged in several schemes?" if share > 0.05 else ""
        places = (
            f"{corpus.place(int(i))} ({corpus.tags[corpus.tag_ids[i]]}, in {part.scheme} "
            f"{names[regular[i]]})"
            for i in odd
        )
        findings.append(
            Finding(
                "transition",
                True,
                f"{part.name}: {len(odd):,} tag{'s' * (len(odd) != 1)} that {part.scheme} does not "
                f"write so{mixed}; they are read by conlleval's rules",
                len(odd),
                some(places),
            )
        )
    return findings


def schemes_differ(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find parts with different tag schemes, and parts whose scheme is ambiguous (io or iob1)."""
    findings = []
    schemes = {part.scheme for part in parts if len(part.spans)}
    if len(schemes) > 1:
        which = ", ".join(f"{part.name} {part.scheme}" for part in parts if len(part.spans))
        findings.append(
            Finding("scheme", False, f"the parts are in different schemes, each read in its own: {which}")
        )  # fmt: skip
    for part in parts:
        prefixes = {split_tag(tag)[0] for tag in part.corpus.tags}
        if part.scheme == "iob1" and "B" not in prefixes and len(part.spans):
            findings.append(
                Finding(
                    "scheme",
                    False,
                    f"{part.name}: no tag begins with B-: read as iob1; if this is io, neighbours of one "
                    "class can't be distinguished",
                )
            )
    return findings


def classes(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find classes with few entities, and classes that are missing from a part."""
    findings = []
    total = label_counts(parts)
    first = label_counts(parts[:1])
    rare = {label: n for label, n in (first or total).items() if n < _FEW}
    if rare:
        shown = _listed([f"{label} {n}" for label, n in sorted(rare.items(), key=lambda x: x[1])])
        findings.append(
            Finding(
                "few-examples",
                True,
                f"{parts[0].name}: fewer than {_FEW} entities to learn from: {shown}",
                len(rare),
            )
        )
    for part in parts[1:]:
        own = label_counts([part])
        unknown = sorted(set(own) - set(first))
        if unknown:
            places = _places_by_label([part])
            findings.append(
                Finding(
                    "unknown-class",
                    True,
                    f"{part.name}: classes that {parts[0].name} lacks: {_listed(unknown)}",
                    len(unknown),
                    some(place for label in unknown for place in places[label]),
                )
            )
        missing = sorted(set(first) - set(own))
        if missing:
            findings.append(
                Finding(
                    "empty-class",
                    False,
                    f"{part.name}: no entity of {_listed(missing)}: their F1 can't be measured",
                    len(missing),
                )
            )
    if not any(len(part.spans) for part in parts):
        findings.append(Finding("empty-class", True, "no entity at all: all tags are O"))
    return findings


def ambiguous_phrases(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find phrases with several labels, and occurrences whose label differs from the phrase's usual one.

    The latter are likely errors.
    """
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    places: dict[tuple[str, str], str] = {}
    for part in parts:
        for start, end, label in part.spans.as_list():
            phrase = part.surface(start, end)
            labels[phrase][label] += 1
            places.setdefault((phrase, label), part.corpus.place(start))
    several = {phrase: counts for phrase, counts in labels.items() if len(counts) > 1}
    slips = []
    for phrase, counts in several.items():
        label, most = counts.most_common(1)[0]
        total = sum(counts.values())
        if total > _OFTEN and most >= _USUAL * total:
            slips += [
                (
                    total,
                    f'{places[phrase, other]} ("{phrase}" {other}, {label} elsewhere {most:,} times)',
                )
                for other in counts
                if other != label
            ]
    findings = []
    if slips:
        slips.sort(key=lambda slip: -slip[0])
        findings.append(
            Finding(
                "odd-label",
                False,
                f"{len(slips):,} label{'s' * (len(slips) != 1)} unlike the phrase's usual one: errors, or "
                "names with two meanings?",
                len(slips),
                some(shown for _, shown in slips),
            )
        )
    if several:
        commonest = sorted(several.items(), key=lambda item: -sum(item[1].values()))
        shown = "; ".join(
            f'"{phrase}" ' + ", ".join(f"{label} {n}" for label, n in counts.most_common())
            for phrase, counts in commonest[:3]
        )
        share = 100 * len(several) / len(labels)
        findings.append(
            Finding(
                "several-labels",
                False,
                f"{len(several):,} of {len(labels):,} phrases ({share:.1f} %) have several labels: {shown}",
                len(several),
            )
        )
    return findings


def missed_names(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Find tokens outside any entity whose word is nearly always a one-word entity elsewhere."""
    places = []
    n = max((len(part.words) for part in parts), default=0)
    as_entity, as_outside = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    outside_of = []
    for part in parts:
        single = part.spans.starts[part.spans.ends - part.spans.starts == 1]
        inside = np.zeros(part.corpus.tokens + 1, dtype=np.int64)
        np.add.at(inside, part.spans.starts, 1)
        np.add.at(inside, part.spans.ends, -1)
        outside = np.flatnonzero(inside[:-1].cumsum() == 0)
        outside_of.append(outside)
        as_entity += np.bincount(part.ids[single], minlength=n)
        as_outside += np.bincount(part.ids[outside], minlength=n)
    usual = (as_entity > _OFTEN) & (as_entity >= _USUAL * (as_entity + as_outside))
    for part, outside in zip(parts, outside_of, strict=True):
        for i in outside[usual[part.ids[outside]]].tolist():
            word = part.corpus.words[part.corpus.word_ids[i]]
            times = int(as_entity[part.ids[i]])
            places.append((times, f'{part.corpus.place(i)} ("{word}", an entity {times:,} times)'))
    if not places:
        return []
    places.sort(key=lambda place: -place[0])
    return [
        Finding(
            "missed-name",
            False,
            f"{len(places):,} word{'s' * (len(places) != 1)} outside any entity that nearly always "
            "are one elsewhere: overlooked?",
            len(places),
            some(shown for _, shown in places),
        )
    ]


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"
