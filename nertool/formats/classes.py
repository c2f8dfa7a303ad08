"""Are these classes? A column of numbers, of parts of speech or of ids is no column of tags."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from nertool.corpus.columnar import Corpus
from nertool.corpus.record import Reading
from nertool.corpus.schemes import OUTSIDE, split_tag
from nertool.errors import CorpusError

_ENOUGH = 30  # tokens: a shorter text says little by its shares


_NO_ENTITY = {"o", "outside", "none", "nil", "null", "other_o", "-o-", "out"}
_PREFIX_BY_UNDERSCORE = re.compile(r"[BIESLU]_\w+|[bi][-_]\w+")
_PREFIX_BEHIND = re.compile(r"\w+[-_][BIESLU]")


def _odd(tag: str) -> str:
    """Say what a tag without a prefix looks like that nertool does not read; "" if it looks like a class."""
    if tag.lower() in _NO_ENTITY and tag != OUTSIDE:
        return "the tag of tokens in no entity, which is O; replace it"
    if _PREFIX_BY_UNDERSCORE.fullmatch(tag):
        return "a tag with a prefix, which is written B-PER; replace it"
    if _PREFIX_BEHIND.fullmatch(tag):
        return "a tag with its prefix behind, which is written B-PER; replace it"
    return ""


def check_classes(corpus: Corpus, reading: Reading, report: Callable[[str], None]) -> None:
    """Refuse classes that can be none; question those that are unlikely.

    Where a person has named the column of tags, all is said and nothing refused. Errors: CorpusError
    with the place of the first such tag.
    """
    if not corpus.tags:
        return
    asked = reading.tag_column is not None or corpus.records is not None
    counts = np.bincount(corpus.tag_ids, minlength=len(corpus.tags))
    faults = []
    for number, tag in enumerate(corpus.tags):
        label = split_tag(tag)[1]
        if counts[number] and label and not any(c.isalpha() for c in label):
            faults.append((number, f'the class "{label}", without a letter'))
        elif counts[number] and label == tag and corpus.records is None and (odd := _odd(tag)):
            faults.append((number, f'the class "{label}", which looks like {odd}'))
    outside = int(counts[[tag == OUTSIDE for tag in corpus.tags]].sum())
    if corpus.tokens >= _ENOUGH:
        bare = all(split_tag(tag)[1] == tag for tag in corpus.tags)
        if not outside:
            message = f"{corpus.tokens:,} tokens, none of them outside an entity (O)"
            if bare:
                faults.append((int(corpus.tag_ids[0]), message))
            else:
                report(f"{corpus.source}: found {message}; is this the column of tags?")
        of_label: dict[str, int] = {}
        for tag, n in zip(corpus.tags, counts.tolist(), strict=True):
            of_label[split_tag(tag)[1]] = of_label.get(split_tag(tag)[1], 0) + n
        label = max(of_label, key=lambda name: of_label[name])
        if label and of_label[label] > 0.6 * corpus.tokens and outside:
            share = 100 * of_label[label] / corpus.tokens
            report(
                f'{corpus.source}: found the class "{label}" on {share:.0f} % of the tokens; is it one?'
            )
    if not faults:
        return
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
