"""spaCy's efficient CPU pipeline: a blank English one with an `ner` component and hash embeddings."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import spacy
from spacy.tokens import Doc
from spacy.training import Example, iob_to_biluo

from peers.columns import as_iob2, sentences

EPOCHS = 3  # enough to measure its speed; its accuracy needs about 20


def train(text: Path, model: Path) -> None:
    """Train for a few epochs with a fixed seed."""
    random.seed(1)
    spacy.util.fix_random_seed(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    examples = []
    for sentence in sentences(text):
        doc = Doc(nlp.vocab, words=[fields[0] for fields in sentence])
        tags = iob_to_biluo(as_iob2([fields[-1] for fields in sentence]))
        examples.append(Example.from_dict(doc, {"entities": tags}))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(EPOCHS):
        random.shuffle(examples)
        for batch in spacy.util.minibatch(examples, 128):
            nlp.update(batch, sgd=optimizer, drop=0.1)
    nlp.to_disk(model)


def tag(model: Path, text: Path, out: Path) -> None:
    """Write each word with its predicted tag."""
    nlp = spacy.load(model)
    docs = (
        Doc(nlp.vocab, words=[fields[0] for fields in sentence]) for sentence in sentences(text)
    )
    with open(out, "w", encoding="utf-8") as file:
        for doc in nlp.pipe(docs, batch_size=256):
            lines = [
                f"{t.text} {t.ent_iob_}{'-' + t.ent_type_ if t.ent_type_ else ''}\n" for t in doc
            ]
            file.write("".join(lines) + "\n")


if __name__ == "__main__":
    {"train": train, "tag": tag}[sys.argv[1]](*map(Path, sys.argv[2:]))
