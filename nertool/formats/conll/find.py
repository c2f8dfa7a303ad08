"""Detect which columns hold the words and the tags, from a file's first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from nertool.corpus.blocks import is_blank
from nertool.corpus.outside import may_be_no_entity
from nertool.corpus.record import Reading
from nertool.corpus.schemes import OUTSIDE, split_tag
from nertool.errors import CorpusError, did_you_mean
from nertool.formats.conll.brackets import is_bracketed, labels_in
from nertool.formats.conll.parse import Columns
from nertool.formats.conll.rows import Layout, is_document_start, is_hash_comment, usual_width

_WORD_NAMES = ("token", "word", "form", "tokens", "words", "text", "surface")
_TAG_NAMES = ("tag", "ner", "ner_tag", "ner_tags", "label", "entity", "bio", "iob", "labels", "tags",
              "entities", "ner tag", "ner-tag", "netag", "ne_tag", "ne", "bio_tag", "iob_tag",
              "label_id", "bilou", "bioes", "iob2")  # fmt: skip
_SENTENCE_NAMES = ("sentence #", "sentence", "sentence_id", "sent_id", "sentence_idx", "sentence id",
                   "sentence_no", "sent", "sent_num", "sentenceid", "sentence_number")  # fmt: skip
_OTHER_NAMES = ("id", "index", "pos", "upos", "xpos", "pos_tag", "lemma", "chunk", "misc", "doc", "document",
                "start", "end", "")  # fmt: skip
_DELIMITERS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
_NUMBER = re.compile(r"\d+\Z")
_ID = re.compile(
    r"(?:(?:sent|sentence|s|tok|token|t|w|doc|d)[\s:_#.-]*)?\d+(?:[-_.:]\w?\d+)*\Z", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)?:(?=.)")
_WORD_2012 = 3  # the column of the words in CoNLL-2012
_TRIED = 200  # lines from which the delimiter is detected
_MOST = 0.9  # a column holds tags if this share of its cells look like tags
_OUTSIDE = ("O", "_", "0", "-")  # tags of tokens in no entity
_CHUNKS = {"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
_SYNTAX = {"TOP", "S", "NP", "VP", "PP", "V"}


def looks_like_tag(field: str) -> bool:
    """Tell whether a cell is certainly a tag: O, B, I, or a prefix and a label that contains a letter."""
    label = split_tag(field)[1]
    return field in ("O", "B", "I") or (
        label != field
        and field.partition("-")[0] in "BIESLUM"
        and any(character.isalpha() for character in label)
    )


def find_columns(head: Sequence[str], reading: Reading, source: str) -> tuple[Columns, str]:
    """Detect the layout of CoNLL columns, and describe what is unusual about it ("" if nothing is).

    Usually the word is first and its tag last, separated by tabs or spaces. Also recognised: a header that
    names the columns, rows numbered from 1 in each sentence, CoNLL-2012, comments that start with #, and
    tables separated by commas, semicolons or bars. head: a file's first lines. What `reading` sets is not
    detected. Errors: CorpusError for a name that no column has.
    """
    delimiter = _DELIMITERS.get(reading.delimiter or "", reading.delimiter)
    lines = [line for line in head if not (reading.comment and line.startswith(reading.comment))]
    filled = [line for line in lines if not is_blank(line) and not is_document_start(line)]
    plain = [line for line in filled if not line.startswith("#")] or filled
    columns = Columns(comment=reading.comment, hash_comments=True)
    if not plain:
        return columns, ""
    if delimiter is None:
        delimiter = _delimiter(plain)
    layout = Layout(delimiter, usual_width(plain, delimiter))
    same = {len(layout.split(line)) for line in filled} == {layout.width}
    rows = [
        fields[: layout.width]
        for line in (filled if same else plain)
        if len(fields := layout.split(line)) >= layout.width and not any(fields[layout.width :])
        if not is_hash_comment(line, fields[: layout.width], layout)
    ]
    columns = replace(columns, layout=layout)
    notes: list[str] = []
    token, tag = reading.token_column, reading.tag_column
    names = [field.strip().lower() for field in rows[0]] if rows else []
    if isinstance(token, str) or isinstance(tag, str) or _is_header(names, rows[1:]):
        first = next(
            i for i, line in enumerate(head, 1) if layout.split(line)[: layout.width] == rows[0]
        )
        sentence = next((names.index(n) for n in _SENTENCE_NAMES if n in names), None)
        columns = replace(columns, header=first, sentence=sentence)
        token = _named(token, names, _WORD_NAMES, source, 0)
        tag = _named(tag, names, _TAG_NAMES, source, None)
        rows = rows[1:]
        notes.append(f"a header in line {first}")
    elif token is None and any(line.startswith("#begin document") for line in head):
        token = _WORD_2012 if layout.width > _WORD_2012 else 0
        notes.append("#begin document, as in CoNLL-2012")
    elif token is None and tag is None and layout.width > 2 and _numbered(head, layout):
        token = 1
        columns = replace(columns, comment=reading.comment or "#")
        notes.append("numbered rows")
    elif token is None and tag is None and _is_turned(rows):
        token, tag = 1, 0
        notes.append(f"tags in column 0 ({_sample([row[0] for row in rows])}), words in column 1")
    elif token is None and _is_ids(rows, tag):
        token = 1
        ids = {row[0] for row in rows}
        if 2 * len(ids) <= len(rows) and not any(map(is_blank, lines[:-1])):
            columns = replace(columns, sentence=0)  # only the ids separate sentences
        notes.append(f"ids in column 0 ({_sample([row[0] for row in rows])}), words in column 1")
    columns = replace(columns, token=0 if token is None else int(token))
    if -layout.width <= columns.token < layout.width:
        _refuse_marked([row[columns.token] for row in rows], source)
    columns = replace(columns, outside=reading.outside or columns.outside)
    if reading.labelled and layout.width > 1:
        columns, said = _with_tags(columns, rows, None if tag is None else int(tag))
        notes += said
    elif tag is not None:
        columns = replace(columns, tag=int(tag))
    if any(line.startswith("#") and len(layout.split(line)) != layout.width for line in filled):
        notes.append("lines that start with # and have another width: treated as comments")
    return columns, "; ".join(notes)


_NAMED = 12  # the maximum number of other columns in a note


def _with_tags(
    columns: Columns, rows: Sequence[Sequence[str]], asked: int | None
) -> tuple[Columns, list[str]]:
    """Choose the column of the tags, unless the user named it, and detect its tag for tokens in no entity.

    asked: the column that the user named. Returns the columns, and notes on what is unusual.
    """
    assert columns.layout is not None
    width = columns.layout.width
    entries = [
        [OUTSIDE if (cell := row[c].strip()) == columns.outside else cell for row in rows]
        for c in range(width)
    ]
    token = columns.token % width
    if asked is not None:
        return _as_written(
            columns, entries[asked % width] if -width <= asked < width else [], asked
        )
    alike = [c for c in range(width) if c != token and tag_share(entries[c]) >= _MOST]
    named = [c for c in alike if not _is_chunk(entries[c])] or alike
    chosen = width - 1
    if named:
        # Of several columns the last is used, as in CoNLL-2003. A column with less than half of another's
        # entities is not considered: it holds nested entities, as in GermEval-2014.
        counts = {c: sum(field not in _OUTSIDE for field in entries[c]) for c in named}
        most = max(counts.values())
        chosen = max(c for c in named if 2 * counts[c] >= most)
    if chosen == width - 1 and (len(named) < 2 or columns.layout.width == 2):
        columns, notes = _as_written(columns, entries[chosen], -1)
        return columns, notes
    columns, notes = _as_written(columns, entries[chosen], chosen)
    rest = [c for c in range(width) if c not in (token, chosen)]
    others = "; ".join(f"column {c} ({_sample(entries[c])})" for c in rest[:_NAMED])
    if len(rest) > _NAMED:
        others = f"{others}; and {len(rest) - _NAMED:,} more"
    notes.append(
        f"tags in column {chosen} ({_sample(entries[chosen])}); --tag-column chooses another: {others}"
    )
    return columns, notes


def _as_written(columns: Columns, entries: Sequence[str], tag: int) -> tuple[Columns, list[str]]:
    columns = replace(columns, tag=tag)
    if any("*" in field for field in entries) and _share(is_bracketed, entries) >= _MOST:
        return replace(columns, brackets=True), ["tags in brackets, as in CoNLL-2012"]
    if "O" not in entries and columns.outside == OUTSIDE:
        for sign in _OUTSIDE[1:]:
            n = entries.count(sign)
            if n and 3 * n >= len(entries) and tag_share(entries) >= _MOST:
                return replace(columns, outside=sign), [f'"{sign}" for tokens in no entity']
    return columns, []


def tag_share(entries: Sequence[str]) -> float:
    """Return the share of a column's cells that look like tags: O, B-PER, or in brackets.

    Brackets of syntax and of semantic roles are not tags of entities.
    """
    if not entries:
        return 0.0
    if "*" in entries:
        labels = [label for field in set(entries) for label in labels_in(field)]
        syntax = any(label in _SYNTAX or label.startswith("ARG") for label in labels)
        return 0.0 if syntax else _share(is_bracketed, entries)
    if not any(looks_like_tag(field) for field in set(entries)):
        return 0.0
    return _share(lambda f: f in _OUTSIDE or looks_like_tag(f) or may_be_no_entity(f), entries)


def _share(holds: Callable[[str], bool], entries: Sequence[str]) -> float:
    counts = Counter(entries)
    return sum(n for field, n in counts.items() if holds(field)) / max(1, len(entries))


def _is_chunk(entries: Sequence[str]) -> bool:
    labels = {split_tag(field)[1] for field in entries} - {""}
    return bool(labels) and labels <= _CHUNKS


def _sample(entries: Sequence[str]) -> str:
    """Return a column's three most frequent cells, separated by commas."""
    return ", ".join(field[:20] or '""' for field, _ in Counter(entries).most_common(3))


def _delimiter(lines: Sequence[str]) -> str:
    if 2 * sum("\t" in line for line in lines) >= len(lines):
        return "\t"
    signs = (*",;|", *other_blanks(lines))
    return next((sign for sign in signs if divided_by(sign, lines)), " ")


def divided(lines: Sequence[str]) -> Layout:
    """Return the layout of most lines, with any delimiter."""
    delimiter = _delimiter(lines)
    return Layout(delimiter, usual_width(lines, delimiter))


def other_blanks(lines: Sequence[str]) -> list[str]:
    """Return the whitespace characters of the first lines other than space and tab, such as no-break spaces.

    Returns nothing if spaces or tabs separate columns with tags: such characters then belong to the words.
    """
    head = lines[:_TRIED]
    found = {sign for sign in set("".join(head)) if sign.isspace() and sign not in " \t"}
    if not found or divided_by(" ", lines) or divided_by("\t", lines):
        return []
    return sorted(found)


def divided_by(sign: str, lines: Sequence[str]) -> bool:
    """Tell whether most of the first lines are a table with the delimiter `sign` and a column of tags.

    The first line may be a header."""
    lines = lines[:_TRIED]
    if len(lines) < 2 or sign not in lines[0]:
        return False
    if sign.isspace() and sum(sign in line for line in lines) < _MOST * len(lines):
        return False
    rows = [Layout(sign, 0).split(line) for line in lines if line.strip(sign)]
    width = len(rows[0]) if rows else 0
    even = [row for row in rows[1:] if len(row) == width]
    # If the delimiter is itself a word, as in "| O", only one cell of the row is filled.
    filled = [sum(bool(cell.strip()) for cell in row) > 1 for row in rows]
    return (
        width > 1
        and sum(filled) >= _MOST * len(rows)
        and len(even) >= _MOST * (len(rows) - 1)
        and any(tag_share([row[c].strip() for row in even]) >= _MOST for c in range(width))
    )


def holds_texts(rows: Sequence[Sequence[str]], layout: Layout) -> bool:
    """Tell whether some column holds several words in most rows."""
    even = [row for row in rows if len(row) == layout.width]
    return any(
        2 * sum(len(row[i].split()) > 1 for row in even) > len(even) for i in range(layout.width)
    )


def _is_header(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row, in lower case, names the columns.

    It does if it contains a usual name of the words' column, and if either all names are usual ones, or a
    column below it holds tags.
    """
    if not rows or not any(n in names for n in _WORD_NAMES):
        return False
    known = (*_WORD_NAMES, *_TAG_NAMES, *_SENTENCE_NAMES, *_OTHER_NAMES)
    if len(names) > 1 and all(name in known for name in names):
        return True
    columns = [[row[c].strip() for row in rows] for c in range(len(names))]
    return any(
        tag_share(cells) >= _MOST and not looks_like_tag(name.upper())
        for name, cells in zip(names, columns, strict=True)
    )


def _named(
    asked: int | str | None,
    names: Sequence[str],
    usual: Sequence[str],
    source: str,
    default: int | None,
) -> int | None:
    """Return the column that the user asked for, by number or name, or else the one with a usual name."""
    if isinstance(asked, int):
        return asked
    if asked is None:
        return next((names.index(n) for n in usual if n in names), default)
    if asked.lower() not in names:
        raise CorpusError(
            f'{source}: found the columns {", ".join(names)}, expected one named "{asked}"'
            f"{did_you_mean(asked.lower(), names)}"
        )
    return names.index(asked.lower())


def _refuse_marked(words: Sequence[str], source: str) -> None:
    """Refuse words that are all quoted, or that all begin with a language code, as in WikiANN: en:Ada."""
    if len(words) > 1 and all(len(w) > 1 and w[0] == w[-1] == '"' for w in words):
        raise CorpusError(
            f"{source}: found words in quotes ({words[0]}), expected words alone; write the table without "
            "quotes (in pandas, quoting=csv.QUOTE_NONE)"
        )
    first = _LANGUAGE.match(words[0]) if len(words) >= 5 else None
    if first and all(word.startswith(first[0]) for word in words):
        code = first[0]
        raise CorpusError(
            f"{source}: found words that begin with {code}, as in WikiANN, expected the words alone; cut it "
            f"off, for example with: sed 's/^{code}//'"
        )


def _is_turned(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first of two columns holds the tags, and the second the words."""
    if len(rows) < 2 or len(rows[0]) != 2:
        return False
    return tag_share([row[0] for row in rows]) >= _MOST > 2 * tag_share([row[1] for row in rows])


def _is_ids(rows: Sequence[Sequence[str]], tag: int | str | None) -> bool:
    """Tell whether the first of at least three columns holds ids of tokens or sentences, such as 1-1, and the
    second holds words."""
    if len(rows) < 2 or len(rows[0]) < 3 or tag == 1:
        return False
    words = [row[1] for row in rows]
    return (
        all(_ID.match(row[0]) for row in rows)
        and 2 * sum(any(sign.isalpha() for sign in word) for word in words) > len(words)
        and tag_share(words) < _MOST
    )


def _numbered(head: Sequence[str], layout: Layout) -> bool:
    """Tell whether the rows of each sentence are numbered from 1."""
    expected = 1
    seen = False
    for line in head:
        if is_blank(line) or is_document_start(line):
            expected = 1
            continue
        fields = layout.split(line)
        if line.startswith("#") and len(fields) != layout.width:
            continue
        if line.startswith("#") or not _NUMBER.match(fields[0]) or int(fields[0]) != expected:
            # A comment with as many columns as the rows may precede row 1, as in GermEval.
            if line.startswith("#") and expected == 1:
                continue
            return False
        expected += 1
        seen = True
    return seen
