"""Check that a text's tags name classes: not numbers, parts of speech, ids, or a word for "no entity"."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable

import numpy as np

from nertool.corpus.columnar import Corpus
from nertool.corpus.invisible import normal_form, without_invisible
from nertool.corpus.outside import is_no_entity, may_be_no_entity
from nertool.corpus.record import Reading
from nertool.corpus.schemes import OUTSIDE, split_tag
from nertool.errors import CorpusError

_SIGNS = ("0", "-", "_", "--", "*", "=", ".", "/", "?")  # used instead of O
_ENOUGH = 30  # tokens; the shares of a shorter text mean little

_PREFIX = re.compile(
    r"(?:[BIESLUM][_:.=\u2010-\u2015\u2212\uff0d/]|[bi][-_:])\w.*|[BIESLUM]\uff0d.+"
)
_PREFIX_BEHIND = re.compile(r"\w+[-_][BIESLU]")
_OTHER_PREFIX = re.compile(r"[A-Z]-[A-Za-z]+")
_TWO = re.compile(r"[|,;/+&\s](?:[BIESLUM]-\S|O$)")


def _odd_tag(tag: str, label: str) -> str:
    """Return a description of a tag in a notation that nertool does not read; "" if it looks like a class."""
    if label != tag and is_no_entity(label):
        return "a prefix before the tag of tokens in no entity; replace it by O"
    if _TWO.search(label):
        return "two tags in one; keep one of them"
    if len(tag) > 2 and tag[0] == tag[-1] == '"':
        return (
            "a tag in quotes, which are no part of it; take the quotes off, also those of the words"
        )
    if label != tag:
        return ""
    if _PREFIX.fullmatch(tag):
        return "a tag with a prefix, which is written B-PER; replace it"
    if _PREFIX_BEHIND.fullmatch(tag):
        return "a tag with its prefix behind, which is written B-PER; replace it"
    if _OTHER_PREFIX.fullmatch(tag) and tag[0] == "W":
        return "a tag with the prefix W for a single word, which is written S-PER; replace it"
    return ""


def check_classes(corpus: Corpus, reading: Reading, report: Callable[[str], None]) -> None:
    """Refuse tags that can't be classes, and report classes that are unlikely.

    If the user has named the column of tags, everything is reported and nothing refused. Errors: CorpusError
    with the position of the first such tag.
    """
    if not corpus.tags:
        return
    counts = np.bincount(corpus.tag_ids, minlength=len(corpus.tags))
    used = [n for n in range(len(corpus.tags)) if counts[n] and corpus.tags[n] != OUTSIDE]
    outside = int(counts[[tag == OUTSIDE for tag in corpus.tags]].sum())
    bare = [n for n in used if split_tag(corpus.tags[n])[1] == corpus.tags[n]]
    spans = corpus.records is not None and not bare  # spans become tags with prefixes
    asked = reading.tag_column is not None or spans
    faults: list[tuple[int, str]] = []
    for n in used:
        tag = corpus.tags[n]
        label = split_tag(tag)[1]
        if hidden := _hidden(label):
            what = f'the class "{label}", which holds {hidden}'
            if spans:
                report(f"{corpus.source}: found {what}; is that meant?")
            else:
                faults.append((n, f"{what}; take it off"))
        elif not spans and (odd := _odd_tag(tag, label)):
            faults.append((n, f'the tag "{tag}", which looks like {odd}'))
    alike: dict[str, str] = {}
    for n in used:
        label = split_tag(corpus.tags[n])[1]
        other = alike.setdefault(normal_form(label).strip(), label)
        if other != label:
            report(
                f'{corpus.source}: found the classes "{other}" and "{label}", which look the same; '
                "are they one?"
            )
    if faults:
        _refuse(corpus, faults, counts, report, asked=reading.tag_column is not None)
        faults = []
    named = _no_entity(corpus, counts, bare, outside)
    told = reading.outside == OUTSIDE or (reading.outside is not None and outside)
    if named is not None and not told:
        _refuse_outside(corpus, named, report, asked=reading.tag_column is not None)
    elif named is None and reading.outside is None and len(bare) < len(used):
        for n in bare:
            if may_be_no_entity(tag := corpus.tags[n]):
                report(
                    f'{corpus.source}: found the class "{tag}" without a prefix, beside O and tags with one; '
                    f"if it is another word for O, say so by --outside {shlex.quote(tag)}"
                )
    for n in used:
        label = split_tag(corpus.tags[n])[1]
        if not any(c.isalpha() for c in label):
            faults.append((n, f'the class "{label}", without a letter'))
    if corpus.tokens >= _ENOUGH:
        if not outside:
            message = f"{corpus.tokens:,} tokens, none of them outside an entity (O)"
            if len(bare) == len(used):
                faults.append((int(corpus.tag_ids[0]), message))
            else:
                report(f"{corpus.source}: found {message}; is this the column of tags?")
        _question_large(corpus, counts, outside, report)
    if faults:
        _refuse(corpus, faults, counts, report, asked)


def _hidden(label: str) -> str:
    """Describe the first invisible character of a class; "" if there is none."""
    for sign in label:
        if unicodedata.category(sign) == "Cf" or not without_invisible(sign):
            return f"an invisible character (U+{ord(sign):04X})"
    return ""


def _no_entity(corpus: Corpus, counts: np.ndarray, bare: list[int], outside: int) -> int | None:
    """Return the index of the tag without a prefix that is another word for O; None if there is none.

    If O is not among the tags, more tags count: a word of _MAYBE, a sign on a third of the tokens, and the
    only tag without a prefix among tags with prefixes.
    """
    if not bare:
        return None
    begins = any(counts[n] and split_tag(tag)[0] in "BS" for n, tag in enumerate(corpus.tags))
    mixed = not outside and len(bare) == 1 and begins
    for n in sorted(bare, key=lambda n: -counts[n]):
        tag = corpus.tags[n]
        if is_no_entity(tag) or (not outside and (mixed or may_be_no_entity(tag))):
            return n
        if not outside and tag in _SIGNS and 3 * counts[n] >= corpus.tokens:
            return n
    return None


def _refuse_outside(
    corpus: Corpus, number: int, report: Callable[[str], None], asked: bool
) -> None:
    tag = corpus.tags[number]
    place = corpus.place(int((corpus.tag_ids == number).argmax()))
    line = (
        f'{place}: found the class "{tag}", which looks like the tag of tokens in no entity, expected O; '
        f"name that tag by --outside {shlex.quote(tag)} (corpus.outside), or --outside O if it is a class"
    )
    if asked:
        report(line)
        return
    raise CorpusError(line)


def _question_large(
    corpus: Corpus,
    counts: np.ndarray,
    outside: int,
    report: Callable[[str], None],
) -> None:
    """Report a class that more than 60 % of the tokens have."""
    of_label: dict[str, int] = {}
    for tag, n in zip(corpus.tags, counts.tolist(), strict=True):
        of_label[split_tag(tag)[1]] = of_label.get(split_tag(tag)[1], 0) + n
    label = max(of_label, key=lambda name: of_label[name])
    if label and of_label[label] > 0.6 * corpus.tokens and outside:
        share = 100 * of_label[label] / corpus.tokens
        report(
            f'{corpus.source}: found the class "{label}" on {share:.0f} % of the tokens; is it one?'
        )


def _refuse(
    corpus: Corpus,
    faults: list[tuple[int, str]],
    counts: np.ndarray,
    report: Callable[[str], None],
    asked: bool,
) -> None:
    number, what = faults[0]
    place = corpus.place(int((corpus.tag_ids == number).argmax()))
    line = f"{place}: found {what}, expected tags such as O, B-PER or PER"
    if asked:
        report(line)
        return
    shown = ", ".join(corpus.tags[i] for i in np.argsort(-counts)[:5])
    raise CorpusError(
        f"{line}; the tags of this column are {shown}: choose the column by --tag-column "
        "(corpus.tag_column)"
    )
