"""Settings of the network, of its training and of decoding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from nertool.config.types import Activation, Count, CountOrNone, Hidden, Output, Paths, Share, about


@dataclass(frozen=True)
class NetworkConfig:
    """The network: one hidden layer h = f(W x + b₁), scores u = U h + b₂."""

    hidden: Annotated[Hidden, about("H, the width of the hidden layer.")] = 128
    activation: Annotated[Activation, about("f, the activation.")] = "tanh"
    output: Annotated[
        Output,
        about("logistic: each tag against the rest. softmax: one distribution over all tags."),
    ] = "logistic"
    members: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        about("Networks to train, each from a seed of its own. Their scores are averaged."),
    ] = 1


@dataclass(frozen=True)
class TrainingConfig:
    """How the loss J is minimised."""

    start: Annotated[
        Path | None,
        about("A model to start from, in place of random numbers: to go on with more text, or with a class "
              "more. Classes of it that the text has no entity of are kept. Empty: none."),
    ] = None  # fmt: skip
    epochs: Annotated[Count, about("Passes over the training text.")] = 15
    batch_size: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)],
        about("Windows in a batch. With shuffle: sentences, whole sentences are added until there are "
              "at least so many."),
    ] = 512  # fmt: skip
    shuffle: Annotated[
        Literal["sentences", "windows"],
        about("What an epoch shuffles: whole sentences, or single windows."),
    ] = "sentences"
    optimizer: Annotated[
        Literal["sgd", "momentum", "adagrad", "adam"], about("The update rule.")
    ] = "adagrad"
    alpha: Annotated[Annotated[float, Meta(ge=0, le=100)], about("The learning rate.")] = 0.05
    momentum: Annotated[Share, about("Of the optimizer momentum.")] = 0.9
    decay: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("The rate in epoch e is alpha / (1 + decay · (e − 1))."),
    ] = 0.0
    l2: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("Weight decay: l2/2 · (‖W‖² + ‖U‖²) is added to J."),
    ] = 0.0
    dropout_input: Annotated[
        Share, about("Share of each word's features that is dropped before windows are formed.")
    ] = 0.0
    dropout_hidden: Annotated[Share, about("Share of h that is dropped.")] = 0.0
    average: Annotated[
        Count, about("Evaluate and keep the mean of the weights of the last so many epochs.")
    ] = 1
    patience: Annotated[
        CountOrNone, about("Stop when dev F1 has not risen for so many epochs. 0: never.")
    ] = 0
    class_balance: Annotated[
        Annotated[float, Meta(ge=0, le=10)],
        about("Weight of a word in J: (words of the most frequent class / words of its class) to this "
              "power. 0: all words count the same."),
    ] = 0.0  # fmt: skip
    recase: Annotated[
        Share, about("Share of sentences that an epoch reads in lower case or in capitals.")
    ] = 0.0
    replace_entities: Annotated[
        Share, about("Share of entities that an epoch replaces by others of the same class.")
    ] = 0.0
    word_dropout: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("a: a word that occurs n times in the training text is read as an unknown word with "
              "probability a / (a + n): no memory of it, and the vector that training began with; without "
              "vectors, no vector of its own."),
    ] = 0.0  # fmt: skip
    refit: Annotated[
        bool,
        about("After training: train once more on train and dev together, with the number of epochs that "
              "was best on dev. The temperature found on dev is kept."),
    ] = False  # fmt: skip
    audit_every: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)],
        about("Check the gradient every so many batches, and note it in log.jsonl. 0: never."),
    ] = 0


@dataclass(frozen=True)
class FirstStageConfig:
    """A network before the network. Its probabilities for the word's other occurrences in the
    document, and for the words around it, are an input of the second one."""

    folds: Annotated[
        Annotated[int, Meta(ge=0, le=100)],
        about("In training the probabilities come from so many networks, each trained without the "
              "fold that it reads. 0: no first stage."),
    ] = 0  # fmt: skip
    hidden: Annotated[Hidden, about("H of these networks.")] = 128
    epochs: Annotated[Count, about("Their epochs.")] = 8
    window: Annotated[
        Annotated[int, Meta(ge=0, le=101)],
        about("An odd number: the second network is also given the probabilities for the words of a window "
              "of this size, the word in its centre. 0: only those for the word's other occurrences."),
    ] = 0  # fmt: skip
    max_pooling: Annotated[
        bool,
        about("The second network is also given, for each tag, the greatest probability over the word's "
              "other occurrences, beside the mean."),
    ] = False  # fmt: skip
    members: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        about("Train it so many times, each time from another seed, and average the scores. They take turns "
              "with the files of vectors."),
    ] = 1  # fmt: skip
    keep: Annotated[
        Literal["whole", "folds"],
        about("What a model keeps of it. whole: a further network, trained on all of the text. folds: the "
              "networks of the folds, whose scores are averaged: better scores, slower tagging."),
    ] = "whole"  # fmt: skip

    @property
    def networks(self) -> int:
        """How many networks of it a model keeps."""
        return self.members * (self.folds if self.keep == "folds" else self.folds > 0)


@dataclass(frozen=True)
class DecodingConfig:
    """From scores to entities."""

    scheme: Annotated[
        Literal["io", "iob2", "bioes"], about("The tag scheme that the network learns.")
    ] = "bioes"
    method: Annotated[
        Literal["viterbi", "argmax"],
        about("viterbi: the best sequence that the scheme allows. argmax: each word's best tag."),
    ] = "viterbi"
    outside_bias: Annotated[
        Annotated[float, Meta(ge=-100, le=100)],
        about("Subtracted from the score of O: above 0 more entities are found, and more of them are "
              "wrong."),
    ] = 0.0  # fmt: skip
    fit_bias: Annotated[
        bool,
        about("After training, set outside_bias to the value that is best on dev, if it gains more than "
              "chance would."),
    ] = False  # fmt: skip
    consistency: Annotated[
        Share,
        about("Share that the word's other occurrences in the document have in its probabilities."),
    ] = 0.0


@dataclass(frozen=True)
class DistillationConfig:
    """Learning from another model, the teacher: its probabilities are the targets of training."""

    teacher: Annotated[
        Path | None, about("The teacher, a model or a run folder. Empty: no distillation.")
    ] = None
    texts: Annotated[
        Paths | None,
        about("Unlabelled texts, such as [raw.txt], that the teacher tags and the network learns from, "
              "beside corpus.train."),
    ] = None  # fmt: skip
    share: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        about("λ: the target of a labelled word is (1 − λ) times its gold tag and λ times the teacher's "
              "probabilities."),
    ] = 0.5  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """What the trained model keeps."""

    vocabulary: Annotated[
        Literal["all", "corpus"] | Annotated[int, Meta(ge=1, le=1_000_000_000)],
        about("Words of the vectors that the model keeps: all; corpus, those of the training text; or a "
              "number N, these and the N first ones of the file. Others are unknown to it."),
    ] = "all"  # fmt: skip
