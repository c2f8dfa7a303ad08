# ruff: noqa: E501  # files as they are
"""Tables: Kaggle's, spreadsheets', pandas'; texts in columns of other names; other encodings."""

from __future__ import annotations

from tests.campaigns.odd.case import TEXT, Odd

CELL = '"[[0, 3, ""PER""], [14, 20, ""LOC""]]"'
TWO = {"PER": 1, "LOC": 1}
KAGGLE = (
    'Sentence #,Word,POS,Tag\nSentence: 1,Ada,NNP,B-per\n,met,VBD,O\n,",",",",O\n,"""",``,O\n'
    "Sentence: 2,Zoé,NNP,B-per\n,left,VBD,O\n,Paris,NNP,B-geo\n"
)
LISTS = (
    "Sentence #,Sentence,POS,Tag\n"
    "Sentence: 1,\"Ada met me , there\",\"['NNP', 'VBD', 'PRP', ',', 'RB']\",\"['B-per', 'O', 'O', 'O', 'O']\"\n"
    "Sentence: 2,Bob left Paris,\"['NNP', 'VBD', 'NNP']\",\"['B-per', 'O', 'B-geo']\"\n"
)

TABLES = (
    Odd("kaggle.csv", KAGGLE, {"per": 2, "geo": 1}),
    Odd("kaggle-latin1.csv", KAGGLE.encode("latin-1"), "0xe9", "0xe9"),
    Odd("kaggle-latin1-named.csv", KAGGLE.encode("latin-1"), {"per": 2, "geo": 1},
        options=("--encoding", "latin-1")),
    Odd("kaggle-excel.csv", KAGGLE.replace(",", ";").replace('";"', '";"'), {"per": 2, "geo": 1}),
    Odd("kaggle-index.csv", ",Unnamed: 0,sentence_idx,word,tag\n0,0,1.0,Ada,B-per\n1,1,1.0,met,O\n"
        "2,2,2.0,It,O\n", {"per": 1}),
    Odd("kaggle-lists.csv", LISTS, {"per": 2, "geo": 1}),
    Odd("kaggle-crlf.csv", LISTS.replace("\n", "\r\n"), {"per": 2, "geo": 1}),
    Odd("kaggle-strings.csv", "sentence,word_labels\nAda met me,\"B-per,O,O\"\nBob left,\"B-per,O\"\n", {"per": 2}),
    Odd("kaggle-blanks.csv", "sentence,tags\nAda met me,B-per O O\nBob left,B-per O\n", {"per": 2}),
    Odd("kaggle-short.csv", "sentence,tags\nAda met me,B-per O O\nBob left,B-per O O\n", "found 2 words and 3 tags",
        tagged=5),
    Odd("simple.csv", "sentence_id,words,labels\n0,Ada,B-PER\n0,met,O\n1,It,O\n", {"PER": 1}),
    Odd("spans.csv", f'text,label\n"{TEXT}",{CELL}\n"It, too.",[]\n', TWO),
    Odd("capital.csv", f'Text,Label\n"{TEXT}",{CELL}\n', TWO),
    Odd("tweet.csv", f'id,tweet,entities\n1,"{TEXT}",{CELL}\n', TWO),
    Odd("sentence.csv", f'sentence,entities\n"{TEXT}",{CELL}\n', TWO),
    Odd("content.csv", f'id,content,label\n1,"{TEXT}",{CELL}\n', TWO),
    Odd("two-texts.csv", f'title,content,label\n"A day in town","{TEXT}",{CELL}\n', "--text-field", "--text-field"),
    Odd("two-texts-named.csv", f'title,content,label\n"A day in town","{TEXT}",{CELL}\n', TWO,
        options=("--text-field", "content")),
    Odd("unlabelled.csv", f'id,tweet\n1,"{TEXT}"\n2,"It, too, rained."\n', "no labels here", tagged=12),
    Odd("unlabelled.tsv", f"id\ttweet\n1\t{TEXT}\n2\tIt rained all day.\n", "no labels here", tagged=11),
    Odd("no-header.csv", '1,"Ada met me, and it rained."\n2,"Bob left, too."\n', "header", "header"),
    Odd("no-header-tags.tsv", "Ada met me\tB-PER O O\nBob left\tB-PER O\n", "two tags", tagged=-1),
    Odd("no-header-classes.tsv", "Ada met me\tgood\nBob left us\tbad\nCy ran off\tgood\n", "header", "header"),
    Odd("no-header-sentence.tsv", "It rained all day\tgood\nBob left us\tbad\n", "header", "header"),
    Odd("tags-as-text.csv", 'id,text,label\n1,O O,[]\n2,text,"[[0, 4, ""X""]]"\n', {"X": 1}),
    Odd("tag-first.csv", 'text,label\nO,[]\nAda,"[[0, 3, ""X""]]"\n', {"X": 1}),
    Odd("one-column.csv", 'text\n"Ada met me, and left."\n"It rained."\n', "no labels here", tagged=10),
    Odd("pandas.csv", f',text,entities\n0,"{TEXT}","[(0, 3, \'PER\')]"\n', {"PER": 1}),
    Odd("numpy.csv", "tokens,ner_tags\n\"['Ada' 'met']\",\"['B-PER' 'O']\"\n", "found a string",
        predict="found a string"),
    Odd("ragged.csv", f'text,label\n"{TEXT}",{CELL}\nIt rained, and how,[]\n', "found 3 columns",
        predict="found 3 columns"),
    Odd("lines-in-cells.csv", f'text,label\n"{TEXT}\nIt rained.",{CELL}\n', TWO),
    Odd("excel.csv", f"sep=;\ntext;label\n\"{TEXT}\";{CELL}\n", TWO),
    Odd("python-twice.csv", "text,label\nAda met,\"[{'start': 0, 'end': 3, 'label': 'PER', 'label': 'LOC'}]\"\n",
        '"label" twice', predict='"label" twice'),
    Odd("comprehend.csv", "File,Line,Begin Offset,End Offset,Type\ndocs.txt,0,0,3,PER\n", "Amazon Comprehend",
        "Amazon Comprehend"),
    Odd("entity-list.csv", "Text,Type\nAda Lovelace,PER\nLondon,LOC\n", "no labels here", tagged=3),
    Odd("spans-table.tsv", "source\trecord\tstart\tend\tlabel\ttext\na.txt\t0\t0\t3\tPER\tAda\n",
        "a row for each entity", "a row for each entity"),
    Odd("excel-utf16.txt", ("\ufeff" + f"text\tlabel\n{TEXT}\t[]\n").encode("utf-16-le"), {}),
)  # fmt: skip
