"""The layout of columns: what most rows show decides, and what is faulty is named at once, or left out."""

from __future__ import annotations

import json

import pytest

from nertool.corpus.ledger import Ledger
from nertool.formats.head import head_of
from nertool.formats.opening import detect
from tests.support.corpora import found, read, refusal

ROWS = ["Ada\tB-PER", "met\tO", "Bob\tB-PER", ".\tO"]


def text(rows: list[str], times: int = 5) -> str:
    return ("\n".join(rows) + "\n\n") * times


def labels(corpus) -> set[str]:
    return {label for _, own in found(corpus) for _, _, label in own}


@pytest.mark.parametrize(
    ("rows", "tag"),
    [
        (["Anna NNP B-NP B-PER 0.9 x1", "saw VBD B-VP O 0.8 x2", "Bo NNP B-NP B-PER 0.7 x3"], 3),
        (["Anna B-PER 17", "saw O 18", "Bo B-PER 19"], 1),
        (["Anna 2001-02-03 B-PER d1", "saw 2001-02-03 O d1", "Bo 2001-02-03 B-PER d1"], 2),
        (["Anna B-PER 0.91", "saw O 0.99", "Bo B-PER 0.95"], 1),
        # Nested tags beside the others: few, as in GermEval-2014 without its numbers.
        (["Anna B-PER O", "saw O O", "Bo B-PER O", "von I-PER O", "Ulm I-PER B-LOC"], 1),
        (["Anna B-NP B-PER", "saw B-VP O", "Bo B-NP B-PER"], 2),
    ],
)
def test_the_column_that_looks_like_tags_is_taken(rows, tag) -> None:
    notes: list[str] = []
    for sign in (" ", "\t"):
        corpus = read(text([row.replace(" ", sign) for row in rows]))
        assert labels(corpus) == {"PER"}
    from io import BytesIO

    from nertool.corpus.record import Reading
    from nertool.formats.read import read_stream

    read_stream(BytesIO(text(rows).encode()), "x", "auto", Reading(), Ledger(), notes.append)
    assert (
        any(f"tags in column {tag} (" in note for note in notes) or tag == len(rows[0].split()) - 1
    )


@pytest.mark.parametrize("sign", ["_", "0", "-"])
def test_other_signs_for_no_entity_are_known(sign):
    corpus = read(text(["Ada\tB-PER", f"met\t{sign}", f".\t{sign}"]))
    assert set(corpus.tags) == {"B-PER", "O"}


def test_tags_in_brackets_are_read_as_entities():
    rows = ["Ada (PERSON*", "Lovelace *)", "met *", "Bob (PERSON)", "in *", "Ulm (GPE*)"]
    corpus = read(text(rows, 1))
    assert found(corpus)[0][1] == [(0, 2, "PERSON"), (3, 4, "PERSON"), (5, 6, "GPE")]


def conll2012(*rows: tuple[str, str, str]) -> str:
    return "".join(
        f"bc/x 0 {i} {word} NNP {parse} - - - spk {tag} (V*) (3)\n"
        for i, (word, parse, tag) in enumerate(rows)
    )


def test_conll_2012_is_read_with_its_documents():
    one = conll2012(
        ("Ada", "(TOP(S(NP*", "(PERSON)"), ("met", "(VP*)", "*"), ("Ulm", "*))", "(GPE)")
    )
    data = f"#begin document (bc/x); part 000\n{one}\n{one}\n#end document\n" * 2
    corpus = read(data)
    expected = (["Ada", "met", "Ulm"], [(0, 1, "PERSON"), (2, 3, "GPE")])
    assert found(corpus) == [expected] * 4
    assert corpus.document_starts.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    "comment",
    ["# text\twith\ttabs", "# sent_id = 4", "#\thttp://x.org\t[2009]\tmore", "# plain words"],
)
@pytest.mark.parametrize("sign", ["\t", " "])
def test_comments_never_decide_the_layout(comment, sign):
    rows = [comment, *(row.replace("\t", sign) for row in ROWS)]
    corpus = read(text(rows))
    assert found(corpus)[0] == (["Ada", "met", "Bob", "."], [(0, 1, "PER"), (2, 3, "PER")])
    named = "\n".join([comment, f"word{sign}ner", *(r.replace("\t", sign) for r in ROWS)]) + "\n"
    assert found(read(named, "conll", token_column="word", tag_column="ner")) == found(corpus)[:1]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["Ada 0.9", "met 0.8", "Bob 0.7"], 'the class "0.9", without a letter'),
        (["Ada 17", "met 18", "Bob 19"], "without a letter"),
        (["Ada NNP", "met VBD", "Bob NNP"], "none of them outside an entity"),
        (["Ada 2001-02-03", "met 2001-02-04", "Bob 2001-02-05"], "without a letter"),
    ],
)
def test_columns_that_are_no_tags_are_refused(rows, says):
    message = refusal(text(rows, 12), "conll")
    assert says in message
    assert "--tag-column" in message


def test_a_column_that_a_person_has_named_is_questioned_alone():
    assert labels(read(text(["Ada NNP", "met VBD"], 20), "conll", tag_column=1)) == {"NNP", "VBD"}


# Odd rows


def test_a_trailing_tab_is_no_column():
    rows = ["1\tAda\tB-PER\tO", "2\tmet\tO\tO\t", "3\tBob\tB-PER\tO", "4\t.\tO\tO"]
    corpus = read(text(rows))
    assert found(corpus)[0] == (["Ada", "met", "Bob", "."], [(0, 1, "PER"), (2, 3, "PER")])
    assert found(read(text([row + "\t" for row in ROWS]))) == found(read(text(ROWS)))


FAULTY = text(ROWS, 3) + "x\tO\n\tO\n\n" + text(ROWS, 2) + "\tO\n\n" + "a b\n\n" + text(ROWS, 9)


def test_all_faulty_rows_are_named_at_once():
    message = refusal(FAULTY)
    assert message.startswith("x:17: found an empty word")
    assert "3 faulty rows in all, in lines 17, 29, 31 (" in message
    many = refusal(text([*ROWS, "\tO"], 30))
    assert "30 faulty rows in all" in many
    assert many.count(",") < 40


def test_faulty_sentences_are_left_out_and_counted():
    ledger = Ledger()
    corpus = read(FAULTY, ledger=ledger, pass_over_faulty=True)
    assert found(corpus) == found(read(text(ROWS, 14)))
    assert ledger.refused == {"sentences with a faulty row": 3}
    assert ledger.read["sentences"] == 14


def test_faulty_sentences_of_a_table_with_sentence_names_are_left_out():
    data = "Sentence #,Word,Tag\nS1,Ada,B-PER\n,met,O\nS2,,O\n,x,O\nS3,Bob,B-PER\n,left,O\n" + (
        ",it,O\n" * 20
    )
    corpus = read(data, pass_over_faulty=True)
    assert [words[0] for words, _ in found(corpus)] == ["Ada", "Bob"]


@pytest.mark.parametrize("command", ["convert", "check", "stats"])
def test_skip_is_there_in_every_command_that_reads_labels(command, main, tmp_path):
    path = tmp_path / "x.conll"
    path.write_text(FAULTY)
    assert main("corpus", command, path).returncode == 1
    done = main("corpus", command, path, "--on-error", "skip")
    assert done.returncode == 0, done.stderr
    assert "refused: 3 × sentences with a faulty row (first at " in done.stderr


# Plain text


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        ("# Ada met me in London. It rained, of course.", "raw"),
        ("#hashtag is the word, isn't it?\n", "raw"),
        ("word " * 50_000, "raw"),
        ("a b " * 20_000 + "\n", "raw"),
        ("Ada met me .\nIt rained .\n", "text"),
        ("Ada met me.\nIt rained.\n", "lines"),
    ],
)
def test_plain_text_is_told_apart(data, taken):
    from io import BytesIO

    from nertool.formats.opening import open_stream

    assert open_stream(BytesIO(data.encode()), "x").format.name == taken


@pytest.mark.parametrize(
    "line",
    [
        "Harbor Backup 4.2.1 stops with error E-1043 .",
        "She flew a B-52 over Berlin .",
        "The I-PER of old was a joke .",
        "O Captain my Captain !",
    ],
)
def test_one_sentence_with_a_word_like_a_tag_is_no_row_of_columns(line):
    head = head_of(f"{line}\n".encode(), whole=True)
    assert detect(head)[0].name == "text"


def test_a_first_line_too_long_for_a_row_is_refused(main, tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(
        "Ada " + 40_000 * "O " + "O\n"
    )  # its end is not among the bytes looked at first
    done = main("corpus", "stats", path, "--quiet")
    assert done.returncode == 1
    assert done.stderr.startswith(f"nertool: {path}:1: found a line of more than 65,536 bytes")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("sign", [",", ";", "|"])
def test_a_sign_that_is_itself_the_word_divides_no_columns(main, tmp_path, sign):
    path = tmp_path / "a.conll"
    path.write_text(f"{sign} O\n{sign} O\n")
    done = main("corpus", "stats", path, "--from", "conll", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["tokens"] == 2


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (["于谦去了北京。", "你好！", "“好。”"], "lines"),
        (["床前明月光", "疑是地上霜", "举头望明月亮"], "raw"),  # no signs at the ends
        (["ฉันไปโรงเรียนวันนี้", "เขาไปมหาวิทยาลัย"], "raw"),
        (["我们", "在", "北京大学", "学习", "。"], "conll"),
        (["ฉัน", "ไป", "โรงเรียน", "มหาวิทยาลัย", "ประเทศไทย"], "conll"),
        (["東京タワー", "に", "行き", "まし", "た", "。"], "conll"),
    ],
)
def test_sentences_without_blanks_are_told_from_a_word_a_line(rows, name):
    assert detect(head_of("\n".join(rows).encode(), True))[0].name == name
