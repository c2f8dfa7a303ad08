"""Raw text → tokens with their places: text[start:end] is the token, to the character.

Tokens are cut as CoNLL-2003 and its kin cut them: punctuation apart, hyphens, decimal points and
scores inside (Franco-German, 3.4, 6-4), clitics apart (London 's, did n't), abbreviations whole.
"""

from __future__ import annotations

import re

# Abbreviations that keep their dot wherever they stand. Words that also end sentences without
# being abbreviations ("no.", "art.") are left out.
_ABBREVIATIONS = (
    r"Mr|Mrs|Ms|Dr|Prof|Rev|Sr|Jr|St|Gen|Col|Capt|Lt|Sgt|Maj|Adm|Gov|Sen|Rep|Hon|Pres|Cllr|Messrs|Mme"
    r"|Inc|Ltd|Co|Corp|Bros|Pte|Univ|Dept|Nos|vs|v|etc|e\.g|i\.e|approx|Ave|Blvd|Rd|Mt|Ft"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)

_MARK = "\u0300-\u036f"  # combining accents belong to the letter before them
_LETTERS = rf"\w{_MARK}"
_JOINED = (
    _MARK + "\ufe0f\U0001f3fb-\U0001f3ff"
)  # what may follow a sign: accents, emoji style, skin tones

_TOKEN = re.compile(
    rf"""
      https?://[^\s<>"]*[^\s<>"'.,;:!?)\]]                    # URLs, less the sentence's punctuation
    | www\.[^\s<>"]*[^\s<>"'.,;:!?)\]]
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                            # e-mail addresses
    | [@#][{_LETTERS}]+(?:[.-][{_LETTERS}]+)*                 # handles and hashtags
    | (?:[^\W\d_]\.){{2,}}(?:-[{_LETTERS}]+)*(?![^\W_])       # U.S., a.m., J.R.R., U.S.-led
    | (?:{_ABBREVIATIONS})\.(?![^\W_])
    | [^\W\d_]\.(?=\s+[^\W\d_a-z])                            # an initial: J. Smith
    | '(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)(?![{_LETTERS}])      # clitics
    | n't(?![{_LETTERS}]) | N'T(?![{_LETTERS}])
    | (?:(?<![\w%])[+-])?\d+(?:[.,:/-]\d+)*(?:[{_LETTERS}]+)?(?:[-/][{_LETTERS}]+)*  # 3.4, 10:30, 21st
    | [{_LETTERS}]+?(?=n't(?![{_LETTERS}])|N'T(?![{_LETTERS}]))         # the did of didn't
    | [{_LETTERS}]+
      (?: (?: [-&/]+ | \.(?=\w) | '(?!(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)(?![{_LETTERS}])) )
          [{_LETTERS}]+ (?<!n't) )*                           # Franco-German, AT&T, amazon.com, O'Brien
    | \.{{2,}} | -{{2,}} | !{{2,}} | \?{{2,}}                 # runs of one sign
    | [^\s\w][{_JOINED}]*(?:\u200d[^\s\w][{_JOINED}]*)*        # any other sign; an emoji with its joiners
    """,
    re.VERBOSE,
)


_PIECE = re.compile(rf"\s+|{_TOKEN.pattern}", re.VERBOSE)


def pieces(text: str) -> list[str]:
    """Cut a text into its tokens and the white space between them: put together, they are the text."""
    return _PIECE.findall(text)


def tokenize(text: str) -> list[tuple[int, int]]:
    """Return each token's place (start, end), half-open, in characters; only white space lies between."""
    return [match.span() for match in _TOKEN.finditer(text)]
