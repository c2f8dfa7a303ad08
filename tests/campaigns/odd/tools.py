# ruff: noqa: E501  # files as they are
"""What other tools export: read, or refused with what to do; never tagged as running text."""

from __future__ import annotations

import json

from tests.campaigns.odd.case import TEXT, Odd, lines

TWO = {"PER": 1, "LOC": 1}
LUIS = {"text": TEXT, "intent": "x", "entities": [{"entity": "PER", "startPos": 0, "endPos": 2}]}
ANN = "T1\tPER 0 3\tAda\nT2\tLOC 14 20\tLondon\n"
RASA_MD = "## intent:travel\n- I fly to [Berlin](city)\n- from [Paris](city:paris) today\n\n## synonym:nyc\n- NYC\n"
RASA_YAML = (
    'version: "3.1"\nnlu:\n- intent: travel\n  examples: |\n    - I fly to [Berlin](city)\n'
    '    - from [Paris]{"entity": "city", "role": "from"} today\n'
)
RASA_JSON = {"rasa_nlu_data": {"common_examples": [
    {"text": "I fly to Berlin", "intent": "x", "entities": [
        {"start": 9, "end": 15, "value": "Berlin", "entity": "city"}]}]}}  # fmt: skip
MUC = (
    '<DOC>\n<DOCID> x-1 </DOCID>\n<TXT>\n<p>\n<ENAMEX TYPE="PERSON">Ada</ENAMEX> met me in '
    '<ENAMEX TYPE="LOCATION" STATUS="OPT">London</ENAMEX> &amp; <TIMEX TYPE="DATE">today</TIMEX>.\n</p>\n</TXT>\n</DOC>\n'
)

TOOLS = (
    Odd("nlu.md", RASA_MD, {"city": 2}),
    Odd("nlu.yml", RASA_YAML, {"city": 2}),
    Odd("nlu.json", json.dumps(RASA_JSON), {"city": 1}),
    Odd("manifest.jsonl", lines({"source": TEXT, "PER-ref": {"annotations": {"entities": [
        {"label": "PER", "startOffset": 0, "endOffset": 3}]}}}), {"PER": 1}),
    Odd("comprehend.json", lines({"File": "a.txt", "Entities": [{"BeginOffset": 0, "EndOffset": 3, "Score": 0.9,
        "Text": "Ada", "Type": "PERSON"}]}), "Comprehend", "Comprehend"),
    Odd("automl.jsonl", lines({"annotations": [{"text_extraction": {"text_segment": {"start_offset": 0,
        "end_offset": 3}}, "display_name": "PER"}], "text_snippet": {"content": TEXT}}), "AutoML", "AutoML"),
    Odd("vertex.jsonl", lines({"textSegmentAnnotations": [{"startOffset": 0, "endOffset": 3, "displayName": "PER"}],
        "textContent": TEXT}), "Vertex", "Vertex"),
    Odd("azure.json", json.dumps({"projectFileVersion": "2022-05-01", "assets": {"documents": []}}), "Azure",
        "Azure"),
    Odd("luis.json", json.dumps({"luis_schema_version": "3.0", "utterances": [LUIS]}), "LUIS", "LUIS"),
    Odd("utterances.json", json.dumps([LUIS]), "startPos", tagged=6),
    Odd("dialogflow.json", json.dumps([{"id": "1", "data": [{"text": "Ada", "alias": "who", "meta": "@sys.person"},
        {"text": " met me"}], "isTemplate": False}]), "Dialogflow", "Dialogflow"),
    Odd("snips.json", json.dumps({"GetWeather": [{"data": [{"text": "in "}, {"text": "Paris", "entity": "city"}]}]}),
        "Snips", "Snips"),
    Odd("snips.yaml", "type: intent\nname: turn\nutterances:\n  - light the [room:room](kitchen)\n", "Snips", "Snips"),
    Odd("wit.json", json.dumps([{"text": TEXT, "intent": "x", "entities": [{"entity": "PER:PER", "start": 0, "end": 3,
        "body": "Ada", "entities": []}], "traits": []}]), {"PER:PER": 1}),
    Odd("ubiai.json", json.dumps([{"documentName": "a", "document": TEXT, "tokens": [{"text": "Ada", "start": 0,
        "end": 3, "token_start": 0, "token_end": 0, "entityLabel": "PER"}], "relations": []}]), {"PER": 1}),
    Odd("tagtog.json", json.dumps({"annotatable": {"parts": ["s1p1"]}, "entities": []}), "tagtog", "tagtog"),
    Odd("datasaur.json", json.dumps({"version": "2", "data": {"sentences": [], "labelSets": []}}), "Datasaur",
        "Datasaur"),
    Odd("datasaur.tsv", "#FORMAT=WebAnno TSV 3.2\n#T_SP=webanno.custom.Label|value\n\n\n#Text=Ada met\n"
        "1-1\t0-3\tAda\tPER\t\n1-2\t4-7\tmet\t_\t\n", {"PER": 1}),
    Odd("universal-ner.iob2", "# sent_id = a\n# text = Ada met\n1\tAda\tB-PER\t-\tx\n2\tmet\tO\t-\tx\n\n",
        {"PER": 1}),
    Odd("cadec", {"a.txt": "bad headache today", "a.ann": "T1\tADR 4 12\theadache\n#1\tAnnotatorNotes T1\tx\n"},
        {"ADR": 1}),
    Odd("parts", {"a.txt": "left and right arm", "a.ann": "T1\tX 0 4;15 18\tleft arm\n"}, "parts", tagged=4),
    Odd("parts-turned", {"a.txt": "left arm", "a.ann": "T1\tX 5 8;0 4\tleft arm\n"}, "parts", tagged=2),
    Odd("meddra", {"a.ann": "TT1\t10019211 4 12\theadache\n"}, "no such file", predict="no such file"),
    Odd("brat", {"a.txt": TEXT, "a.ann": ANN}, TWO),
    Odd("alone.ann", ANN, "no such file", predict="no such file"),
    Odd("i2b2.con", 'c="ada lovelace" 1:0 1:1||t="person"\nc="london" 1:5 1:5||t="place"\n', "i2b2", "i2b2"),
    Odd("i2b2.xml", '<?xml version="1.0"?>\n<deIdi2b2><TEXT><![CDATA[Ada]]></TEXT><TAGS><NAME id="P0" start="0" '
        'end="3" text="Ada" TYPE="PATIENT"/></TAGS></deIdi2b2>', "i2b2", "i2b2"),
    Odd("n2c2.xml", '<?xml version="1.0"?>\n<PatientMatching><TEXT><![CDATA[Ada]]></TEXT><TAGS><X met="y"/></TAGS>'
        "</PatientMatching>", "XML", "XML"),
    Odd("muc.sgml", MUC, {"PERSON": 1, "LOCATION": 1, "DATE": 1}),
    Odd("muc.txt", MUC, {"PERSON": 1, "LOCATION": 1, "DATE": 1}),
    Odd("unquoted.sgml", "<DOC>\n<ENAMEX TYPE=PERSON>Ada</ENAMEX> met me.\n</DOC>\n", {"PERSON": 1}),
    Odd("met.sgml", '<b_enamex type="PERSON">Ada<e_enamex> met me.\n', "MUC", "MUC"),
    Odd("lines.txt", '<ENAMEX TYPE="PERSON">Ada</ENAMEX> met me.\nIt rained.\n', {"PERSON": 1}),
    Odd("ace.xml", '<?xml version="1.0"?>\n<source_file URI="a.sgm"><document><entity ID="1" TYPE="PER"><entity_mention>'
        '<extent><charseq START="0" END="3">Ada</charseq></extent></entity_mention></entity></document></source_file>',
        "XML", "XML"),
    Odd("gate.xml", "<?xml version='1.0'?>\n<GateDocument><TextWithNodes><Node id=\"0\"/>Ada<Node id=\"3\"/>"
        "</TextWithNodes></GateDocument>", "GATE", "GATE"),
    Odd("tei.xml", "<TEI><text><p><persName>Ada</persName></p></text></TEI>", "TEI", "TEI"),
    Odd("tiger.xml", '<corpus id="t"><body><s id="1"><graph><terminals><t id="1" word="Ada" pos="NE"/></terminals>'
        "</graph></s></body></corpus>", "XML", "XML"),
    Odd("page.html", "<html><body><p>Ada met me.</p></body></html>", "HTML", "HTML"),
    Odd("opennlp.txt", "<START:person> Ada <END> met me .\n", {"person": 1}),
    Odd("opennlp-spoiled.txt", "<START:person>Ada<END> met me.\nIt rained.\n", "no blank beside", "no blank beside"),
    Odd("pubtator.txt", "1|t|Ada met me.\n1|a|It rained.\n1\t0\t3\tAda\tPER\n\n", {"PER": 1}),
    Odd("bars.txt", "Ada|NNP|B-PER met|VBD|O\nBob|NNP|B-PER left|VBD|O\n", {"PER": 2}),
    Odd("slashes.txt", "Ada/B-PER met/O\nBob/B-PER left/O\n", {"PER": 2}),
    Odd("stanford.txt", "Ada/PERSON met/O me/O\n", {"PERSON": 1}),
    Odd("brackets.txt", "[PER Ada Lovelace] met [LOC London] today .\n[PER Bob] left .\n", "brackets", "brackets"),
    Odd("double.txt", "{{Ada}} met {{Bob}} .\n[[Cy]] ran .\n", "double brackets", tagged=-1),
    Odd("rich.txt", "Ada_B-PER met_O\nBob_B-PER left_O\n", {"PER": 2}),
    Odd("wikiann.jsonl", lines({"tokens": ["Ada", "met"], "ner_tags": ["B-PER", "O"], "langs": ["en", "en"],
        "spans": ["PER: Ada"]}), {"PER": 1}),
    Odd("conll-brackets.txt", "Ada (PER*) x\n", "labels", tagged=-1),
    Odd("webanno-1.tsv", "#id=1\n#text=Ada met\n1-1\tAda\tB-PER\n1-2\tmet\tO\n\n", {"PER": 1}),
    Odd("doccano.jsonl", lines({"id": 1, "data": TEXT, "label": [[0, 3, "PER"]]}), {"PER": 1}),
    Odd("no-ner.conllu", "# text = Ada met\n1\tAda\tAda\tPROPN\t_\t_\t2\tnsubj\t_\t_\n2\tmet\tmeet\tVERB\t_\t_\t0\troot\t_\t_\n\n",
        "no labels here", tagged=2),
    Odd("errors.m2", "S Ada met me\nA 0 1|||PER|||Ada|||REQUIRED|||-NONE-|||0\n\nS It rained\nA -1 -1|||noop|||-NONE-\n",
        "M2", predict="M2"),
    Odd("places.txt", "Ada met me in London\n0,1 PER|4,5 LOC\n\nBob left\n0,1 PER\n\n", "places", predict="places"),
    Odd("pubtator-bare.txt", "1|t|Ada met me.\n1|a|It rained.\n\n", "no labels here", tagged=7),
)  # fmt: skip
