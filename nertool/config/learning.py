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
        about(
            "The output layer. logistic: an independent probability for each tag. softmax: one "
            "distribution over all tags."
        ),
    ] = "logistic"
    members: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        about(
            "The number of networks to train, each with its own seed. Their scores are averaged."
        ),
    ] = 1


@dataclass(frozen=True)
class TrainingConfig:
    """How the loss J is minimised."""

    start: Annotated[
        Path | None,
        about("A model whose weights are the initial weights, to continue training with more text or "
        "another class. Its classes that the text has no entity of are kept. Empty: random initial "
        "weights."),
    ] = None  # fmt: skip
    epochs: Annotated[Count, about("Passes over the training text.")] = 15
    batch_size: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)],
        about("The number of windows in a batch. With shuffle: sentences, whole sentences are added "
        "until the batch has at least this many."),
    ] = 512  # fmt: skip
    shuffle: Annotated[
        Literal["sentences", "windows"],
        about("What an epoch shuffles: whole sentences, or single windows."),
    ] = "sentences"
    optimizer: Annotated[
        Literal["sgd", "momentum", "adagrad", "adam"], about("The update rule.")
    ] = "adagrad"
    alpha: Annotated[Annotated[float, Meta(ge=0, le=100)], about("The learning rate.")] = 0.05
    momentum: Annotated[Share, about("The momentum of the optimizer momentum.")] = 0.9
    decay: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("The rate in epoch e is alpha / (1 + decay · (e − 1))."),
    ] = 0.0
    l2: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("Weight decay: l2/2 · (‖W‖² + ‖U‖²) is added to J."),
    ] = 0.0
    dropout_input: Annotated[
        Share,
        about("The share of each word's features that is dropped, before windows are formed."),
    ] = 0.0
    dropout_hidden: Annotated[Share, about("The share of hidden units that is dropped.")] = 0.0
    average: Annotated[
        Count, about("Evaluate and keep the mean of the weights of this many last epochs.")
    ] = 1
    patience: Annotated[
        CountOrNone, about("Stop when dev F1 has not risen for this many epochs. 0: never.")
    ] = 0
    class_balance: Annotated[
        Annotated[float, Meta(ge=0, le=10)],
        about("Weight of a word in J: (words of the most frequent class / words of its class) to this "
              "power. 0: all words count the same."),
    ] = 0.0  # fmt: skip
    recase: Annotated[
        Share,
        about(
            "The share of sentences that are converted to lower case or to capitals in an epoch."
        ),
    ] = 0.0
    replace_entities: Annotated[
        Share,
        about("The share of entities that are replaced by others of the same class in an epoch."),
    ] = 0.0
    word_dropout: Annotated[
        Annotated[float, Meta(ge=0, le=1_000)],
        about("a: a word that occurs n times in the training text is treated as unknown with "
        "probability a / (a + n). It then has no memory, and its initial vector; without vectors, that "
        "of unknown words."),
    ] = 0.0  # fmt: skip
    refit: Annotated[
        bool,
        about("After training, train again on train and dev together, with the number of epochs that "
        "was best on dev. The temperature that was fitted on dev is kept."),
    ] = False  # fmt: skip
    audit_every: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)],
        about(
            "Check the gradient each time after this many batches, and write the errors to "
            "log.jsonl. 0: never."
        ),
    ] = 0


@dataclass(frozen=True)
class FirstStageConfig:
    """A first stage: a network whose probabilities for the word's other occurrences in the document, and for
    the words around it, are an input of the second network."""

    folds: Annotated[
        Annotated[int, Meta(ge=0, le=100)],
        about("The number of folds. During training, the probabilities for a fold come from a network "
        "that was trained on the other folds. 0: no first stage."),
    ] = 0  # fmt: skip
    hidden: Annotated[Hidden, about("H, the width of the hidden layer of these networks.")] = 128
    epochs: Annotated[Count, about("The epochs of these networks.")] = 8
    window: Annotated[
        Annotated[int, Meta(ge=0, le=101)],
        about("An odd number: the second network also reads the probabilities for the words in a "
        "window of this size around the word. 0: only those for the word's other occurrences."),
    ] = 0  # fmt: skip
    max_pooling: Annotated[
        bool,
        about("The second network also reads, for each tag, the maximum of the probabilities over the "
        "word's other occurrences, in addition to their mean."),
    ] = False  # fmt: skip
    members: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        about("The number of first stages, each with its own seed. Their scores are averaged. They use "
        "the files of vectors in turn."),
    ] = 1  # fmt: skip
    keep: Annotated[
        Literal["whole", "folds"],
        about("Which networks the model keeps. whole: another network, trained on all of the text. "
        "folds: the networks of the folds, whose scores are averaged; this gives better scores and "
        "slower tagging."),
    ] = "whole"  # fmt: skip

    @property
    def networks(self) -> int:
        """The number of networks of the first stage that a model keeps."""
        return self.members * (self.folds if self.keep == "folds" else self.folds > 0)


@dataclass(frozen=True)
class DecodingConfig:
    """How scores become entities."""

    scheme: Annotated[
        Literal["io", "iob2", "bioes"], about("The tag scheme that the network learns.")
    ] = "bioes"
    method: Annotated[
        Literal["viterbi", "argmax"],
        about(
            "viterbi: the best tag sequence that the scheme allows. argmax: the best tag of each "
            "word."
        ),
    ] = "viterbi"
    outside_bias: Annotated[
        Annotated[float, Meta(ge=-100, le=100)],
        about("A number that is subtracted from the score of O. With a positive number, recall rises "
        "and precision falls."),
    ] = 0.0  # fmt: skip
    fit_bias: Annotated[
        bool,
        about("After training, set outside_bias to the value that is best on dev, if the gain is "
        "larger than chance."),
    ] = False  # fmt: skip
    consistency: Annotated[
        Share,
        about("The weight of the word's other occurrences in the document in its probabilities."),
    ] = 0.0


@dataclass(frozen=True)
class DistillationConfig:
    """Learning from another model, the teacher. Its probabilities are the targets of training."""

    teacher: Annotated[
        Path | None, about("The teacher: a model or a run folder. Empty: no distillation.")
    ] = None
    texts: Annotated[
        Paths | None,
        about("Unlabelled texts, such as [raw.txt]. The teacher tags them, and the network learns from "
        "them in addition to corpus.train."),
    ] = None  # fmt: skip
    share: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        about("λ: the target of a labelled word is (1 − λ) times its gold tag and λ times the teacher's "
              "probabilities."),
    ] = 0.5  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """What the trained model stores."""

    vocabulary: Annotated[
        Literal["all", "corpus"] | Annotated[int, Meta(ge=1, le=1_000_000_000)],
        about("The words of the vectors that are stored in the model. all: all words. corpus: those of the "
              "training text. A number N: these, and the first N of the file. Other words are unknown."),
    ] = "all"  # fmt: skip
