"""Tag a text: score its tokens, choose their tags, and read the entities from the tags."""

from __future__ import annotations

from nertool.corpus.schemes import spans_of
from nertool.decoding.decoded import Decoded
from nertool.decoding.viterbi import decode
from nertool.inputs.text import Text
from nertool.model.calibrate import temperature_of
from nertool.tagging.compiled import CompiledTagger


def analyse(tagger: CompiledTagger, text: Text) -> Decoded:
    """Return a text's scores, tags and entities.

    The method `probabilities` of the result returns the probability of each entity. All commands that tag
    use this function. The temperature is only used for probabilities: it divides all scores, so it does not
    change the tags.
    """
    model = tagger.model
    starts = text.sentence_starts
    scores = tagger.scores(text)
    if tagger.rules is not None:
        scores = tagger.rules.fix(scores, text)
    tag_ids = decode(scores, starts, model.config.decoding.method, tagger.lattice)
    spans = spans_of(tag_ids, model.tags, starts)
    return Decoded(scores, tag_ids, starts, spans, tagger.lattice, temperature_of(model))
