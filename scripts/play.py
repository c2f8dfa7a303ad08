"""Write docs/play-model.json: a trained model's numbers for the page to play with (docs/play.html).

python scripts/play.py MODEL      MODEL: a run of configs/binary.yaml

The page itself is written by scripts/docs.py, from these numbers and the templates in nertool/explain.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = ROOT / "docs" / "play-model.json"
SENTENCE = "She met Jordan in Washington yesterday ."


def main() -> int:
    """Write the numbers of the model that is named on the command line; return the exit code."""
    from nertool.explain.play import model_numbers
    from nertool.inputs.text import text_of
    from nertool.model.load import load_model

    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    text = text_of([SENTENCE.split()], np.array([0, 1]))
    numbers = model_numbers(load_model(Path(sys.argv[1])), text)
    NUMBERS.write_text(json.dumps(numbers, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{NUMBERS.relative_to(ROOT)}: written; next: python scripts/docs.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
