"""Tokenise raw text; each token has its position in characters, so that text[start:end] is the token.

Tokens follow CoNLL-2003 and similar corpora. Punctuation is a token of its own. Hyphens, decimal points and
scores stay inside a token (Franco-German, 3.4, 6-4). Clitics are separate (London 's, did n't). Abbreviations
keep their dot. Each Han or hiragana character is a token, as in Chinese and Japanese corpora, and so is each
syllable in scripts without blanks. An emoji with the characters joined to it is one token.

Invisible characters (soft hyphens, zero-width characters, direction marks) never split a word. Tokens are
found in the text without them. Each invisible character is then put back into its token, or into an adjacent
one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import groupby

from nertool.corpus.invisible import OPENING, is_blank_text, visible

# Abbreviations that always keep their dot. Words that are also ordinary words at the end of a sentence
# ("no.", "art.") are left out.
_ABBREVIATIONS = (
    r"Mr|Mrs|Ms|Dr|Prof|Rev|Sr|Jr|St|Gen|Col|Capt|Lt|Sgt|Maj|Adm|Gov|Sen|Rep|Hon|Pres|Cllr|Messrs|Mme"
    r"|Inc|Ltd|Co|Corp|Bros|Pte|Univ|Dept|Nos|vs|v|etc|approx|Ave|Blvd|Rd|Mt|Ft"
    r"|Calif|Fla|Tenn|Ariz|Wis|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
_CLITIC = "(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)"
_HAN = "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HIRAGANA = "\u3041-\u309f"
_KATAKANA = "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_SYLLABLES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer: no blanks between words
)
_FLAG = "\U0001f1e6-\U0001f1ff"

_PATTERN = r"""
      [A-Za-zÀ-ÖØ-öø-ɏ]++(?=,?\s)                             # most words, found at once
    | https?://[^\s<>"]*[^\s<>"'.,;:!?)\]]                    # URLs, less the sentence's punctuation
    | www\.[^\s<>"]*[^\s<>"'.,;:!?)\]]
    | \w[\w.+-]{0,99}+@[\w-]+(?:\.[\w-]+)+                    # e-mail addresses: at most 64 before the @
    | (?<!\S)\.\d++(?![LETTER])                              # .500
    | [0-9#*]\u20e3                                           # keycaps
    | [@#][LETTER]++(?:[.-][LETTER]++)*+                      # handles and hashtags
    | (?:[^\W\d_]\.){2,}(?:-[LETTER]++)*+(?![^\W_])           # U.S., a.m., J.R.R., U.S.-led
    | (?=[A-Za-z]++\.)(?:ABBREVIATION)\.(?![^\W_])
    | [^\W\d_]\.(?=\s+[^\W\d_a-z])                            # an initial: J. Smith
    | (?:A|C|HK|NZ|S|US)\$(?=\s?\d)
    | ['’]CLITIC(?![LETTER])
    | n['’]t(?![LETTER]) | N['’]T(?![LETTER])
    | (?:(?<![\w%])[+-])?\d++(?:[.,:/-]\d++)*+[LETTER]*+(?:[-/][LETTER]++)*+    # 3.4, 10:30, 21st
    | (?=[LETTER]++['’][tT])[LETTER]+?(?=n['’]t(?![LETTER])|N['’]T(?![LETTER]))   # the did of didn't
    | (?![LONE])[LETTER]++
      (?: (?: [-&/] | \.(?=\w) | ['’](?!CLITIC(?![LETTER])) )
          [LETTER]++ (?<!n't) (?<!n’t) )*+                    # Franco-German, AT&T, amazon.com, O'Brien
    | (?<!\S)(?:[:;=][-'^]?[)(\][DPpOo/\\|*3]+|<3)(?!\S)      # emoticons
    | \.{2,} | -{2,} | !{2,} | \?{2,}                         # runs of one sign
    | [KATAKANA]+[MARK]*
    | [LONE][MARK]*
    | [FLAG]{2}
    | [^\s\w][JOINED]*                                        # any other sign; an emoji with its skin tone
    | \w[MARK]*
"""


def pieces(text: str) -> list[str]:
    """Cut a text into tokens and the white space between them. Joined, the pieces are the text.

    White space may contain invisible characters that are next to no token: see is_blank_text.
    """
    seen, runs = visible(text)
    found: list[str] = _compiled(seen.isascii())(seen)
    return _with_runs(found, runs) if runs else found


def _with_runs(found: list[str], runs: list[tuple[int, str]]) -> list[str]:
    """Put runs of invisible characters back: into the piece that surrounds them, or into an adjacent one."""
    out: list[str] = []
    start = at = 0
    for piece in found:
        before, own, emoji = "", "", False
        if at < len(runs) and runs[at][0] == start:
            before, own, emoji = _shared(out[-1] if out else "", runs[at][1], piece)
            at += 1
        cut = 0
        while at < len(runs) and runs[at][0] < start + len(piece):
            place = runs[at][0] - start
            own += piece[cut:place] + runs[at][1]
            cut = place
            at += 1
        own += piece[cut:]
        if before:
            out[-1] += before
        if emoji:
            out[-1] += own
        else:
            out.append(own)
        start += len(piece)
    for _, run in runs[at:]:
        out[-1:] = [out[-1] + run if out else run]
    return out


def _shared(before: str, run: str, after: str) -> tuple[str, str, bool]:
    """Divide a run of invisible characters between the pieces before and after it.

    Returns the part for the piece before, the part for the piece after, and whether the run joins the two
    pieces into one (two emoji with a joiner between).
    """
    if not before or before.isspace():
        return "", run, False
    if after.isspace():
        return run, "", False
    if "\u200d" in run and _is_symbol(before[-1]) and _is_symbol(after[0]):
        return "", run, True
    opening = next((i for i, c in enumerate(run) if c in OPENING), len(run))
    # Variation selectors, joiners and tags modify the character before them. Others go to the adjacent word.
    bound = (
        unicodedata.category(run[0]) == "Mn" or run[0] in "\u200c\u200d" or run[0] >= "\U000e0000"
    )
    if bound or before[-1].isalnum() or not after[0].isalnum():
        return run[:opening], run[opening:], False
    return "", run, False


def _is_symbol(character: str) -> bool:
    return character > "\u007f" and unicodedata.category(character)[0] == "S"


def tokenize(text: str) -> list[tuple[int, int]]:
    """Return the position (start, end) of each token, half-open, in characters.

    Between tokens there is only white space (see is_blank_text).
    """
    places = []
    start = 0
    for piece in pieces(text):
        end = start + len(piece)
        if not is_blank_text(piece):
            places.append((start, end))
        start = end
    return places


@cache
def _compiled(ascii_only: bool):  # type: ignore[no-untyped-def]
    """Return the function that finds all pieces of a text.

    The pattern for any text takes a fifth of a second to compile. On ASCII text a smaller pattern finds the
    same pieces.
    """
    marks, letters = ("\u0300", r"\w") if ascii_only else _classes()
    pattern = _PATTERN
    for name, value in (
        ("ABBREVIATION", _ABBREVIATIONS),
        ("CLITIC", _CLITIC),
        ("LETTER", letters),
        ("MARK", marks),
        # Characters that may follow a symbol: accents, skin tones.
        ("JOINED", f"{marks}\U0001f3fb-\U0001f3ff"),
        ("LONE", _HAN + _HIRAGANA + _SYLLABLES),
        ("KATAKANA", _KATAKANA),
        ("FLAG", _FLAG),
    ):
        pattern = pattern.replace(name, value)
    return re.compile(r"\s++|" + pattern, re.VERBOSE).findall


def _classes() -> tuple[str, str]:
    """Return two character classes as ranges for a pattern: marks, and the characters of words.

    The module re has no class for marks, which Indic words contain. Nor can it subtract one class from
    another: here, the characters that are tokens of their own from \\w. For ranges in the basic plane, re
    uses one fast table of bits. Letters beyond that plane are one range.
    """
    lone = re.compile(f"[{_HAN}{_HIRAGANA}{_KATAKANA}{_SYLLABLES}]")
    kinds: list[str] = []
    for code in range(0x10000):
        character = chr(code)
        if code >= 0x300 and unicodedata.category(character)[0] == "M":
            kinds.append("m")
        elif (character.isalnum() or character == "_") and not lone.match(character):
            kinds.append("w")
        else:
            kinds.append("")
    ranges: dict[str, list[str]] = {"m": [], "w": [], "": []}
    at = 0
    for kind, group in groupby(kinds):
        n = len(list(group))
        ranges[kind].append(f"\\u{at:04x}-\\u{at + n - 1:04x}")
        at += n
    marks = "".join(ranges["m"])
    return marks, marks + "".join(ranges["w"]) + "\U00010000-\U0001efff"
