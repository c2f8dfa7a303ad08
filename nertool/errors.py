"""The exceptions that nertool raises, and functions that make text safe to print.

A message is one line: where (file:line), what was found, what was expected, what to do.
Library code raises exceptions. Only the command line prints them and exits.
"""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterable
from pathlib import Path


class NertoolError(Exception):
    """An error with a message of one line for the user, such as invalid input or a missing file."""


class ConfigError(NertoolError):
    """A configuration that is not valid."""


class OverrideError(ConfigError):
    """An override of a configuration value, such as `--set a.b=value`, that is not valid."""


class CorpusError(NertoolError):
    """Text or labels that can't be read without guessing."""


class VectorsError(NertoolError):
    """A file of word vectors that is faulty, or a file that holds no word vectors."""


class ModelError(NertoolError):
    """A model or run folder that is missing, damaged, stale or in the way."""


class StaleError(ModelError):
    """Prepared inputs that were made from other files or settings than the current ones."""


class TrainingError(NertoolError):
    """Training that can't continue, for example because the loss is no longer finite."""


class LessonError(NertoolError):
    """Coursework that cannot be graded."""


class TaggingError(NertoolError):
    """Tagging that can't continue, for example because one of its processes was killed."""


class OutputError(NertoolError):
    """Output that can't be written: a full disk, a closed stream. Never a fault of the input."""


class LimitError(CorpusError):
    """Input that exceeds a limit on memory. The message names the limit and says how to raise it."""


class BusyError(ModelError):
    """A run folder that another process is writing to."""


class UnexpectedError(NertoolError):
    """A fault of nertool itself, reported in one line with its position in the code."""


_PACKAGE = Path(__file__).parent


def unexpected(error: BaseException) -> str:
    """Describe an unexpected exception: its type, its position in the code, and what to do."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    place = ""
    if own:
        place = f" ({Path(own[-1].filename).relative_to(_PACKAGE.parent)}:{own[-1].lineno})"
    text = " ".join(str(error).split())
    return (
        f"unexpected {type(error).__name__}{f': {text}' if text else ''}{place}; this is a fault of "
        "nertool: please report it with this line, the command and `nertool --version` "
        "(NERTOOL_TRACEBACK=1 shows the whole traceback)"
    )


# Characters that a terminal executes instead of showing them, or that reorder or hide part of a line:
# control characters, direction marks, line and paragraph separators, lone surrogates, tag characters.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
MOST_SHOWN = 2000  # characters of a printed line


def printable(text: str, most: int = MOST_SHOWN) -> str:
    r"""Return a text as one line that is safe to print on a terminal.

    Characters that a terminal executes or that reorder text become escapes: U+001B becomes the four
    characters \x1b. A byte of a file name that is not UTF-8 is shown as \xff, for example. If the text is
    longer than `most` characters, its middle is left out.
    """
    if len(text) > most:
        half = most // 2
        left_out = f" … {len(text) - 2 * half:,} characters left out … "
        text = text[:half] + left_out + text[-half:]
    return _UNPRINTABLE.sub(_escaped, text)


# What a page or table must not hold: control characters (except tabs and line ends), and characters that
# reorder text.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def without_controls(text: str) -> str:
    r"""Return a text for a page or a terminal, with control characters and bidirectional overrides escaped.

    U+202E, for example, becomes the six characters \u202e. Line ends, tabs and all other characters are
    kept."""
    return _CONTROLS.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in _SHORT:
        return _SHORT[match[0]]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8: Python's surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# No similar word is searched for a longer word, because the time grows with the square of its length.
_LONGEST_WORD = 200


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the known word most similar to `found`, or an empty string."""
    if len(found) > _LONGEST_WORD:
        return ""
    near = difflib.get_close_matches(found, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
