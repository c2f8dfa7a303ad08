"""What the library datasets writes beside a table: which columns are numbers that stand for names.

```
{"info": {"features": {"ner_tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"},
                                    "_type": "Sequence"}}}}
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nertool.corpus.record import GOLD
from nertool.corpus.schemes import OUTSIDE, split_tag, tag_names
from nertool.formats.tables.arrow import json_metadata

METADATA = b"huggingface"  # the key of a schema's metadata


def features_of(schema: Any) -> dict[str, Any]:
    """Return each column's feature, as the library wrote it; nothing if it wrote none."""
    value = json_metadata(schema, METADATA)
    info = value.get("info") if isinstance(value, dict) else None
    features = info.get("features") if isinstance(info, dict) else None
    return features if isinstance(features, dict) else {}


def class_names(feature: Any) -> tuple[str, ...]:
    """Return the names of a column of numbers, or of lists of numbers; () if it has none."""
    if isinstance(feature, list) and len(feature) == 1:
        return class_names(feature[0])
    if not isinstance(feature, dict):
        return ()
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        return tuple(map(str, names))
    return class_names(feature.get("feature"))


def with_class_names(feature: Any, names: Sequence[str]) -> Any:
    """Return a feature of lists of numbers with these names; in the form that all versions of the library
    read, if there was none before."""
    if isinstance(feature, dict) and "feature" in feature:
        return {**feature, "feature": with_class_names(feature["feature"], names)}
    if isinstance(feature, list) and len(feature) == 1:
        return [with_class_names(feature[0], names)]
    label = {"names": list(names), "_type": "ClassLabel"}
    return label if isinstance(feature, dict) else {"feature": label, "_type": "Sequence"}


def metadata_of(features: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return a schema's metadata with columns' features."""
    from nertool.formats.json.text import dump

    return {METADATA: dump({"info": {"features": dict(features)}}).encode()} if features else {}


def numbered_columns(raw_schema: bytes) -> list[str]:
    """Return the columns of a schema, as Arrow writes it, whose numbers stand for names."""
    from nertool.formats.tables.arrow import load_arrow

    pa = load_arrow()
    schema = pa.ipc.read_schema(pa.py_buffer(raw_schema))
    named = {name for name, feature in features_of(schema).items() if class_names(feature)}
    return sorted(named - {GOLD})  # whose names are put in when it is read


class Numbering:
    """Tags as numbers: in the order of a table's own names, with further tags behind them."""

    def __init__(self, names: Sequence[str], scheme: str) -> None:
        self.names = list(names) or [OUTSIDE]
        self.scheme = scheme_of_names(names) if names else scheme
        self._number = {split_tag(name): i for i, name in reversed(list(enumerate(self.names)))}

    def add(self, labels: Sequence[str]) -> None:
        """Number the tags that labels have in the scheme, unless they have numbers."""
        for tag in tag_names(labels, self.scheme):
            if split_tag(tag) not in self._number:
                self._number[split_tag(tag)] = len(self.names)
                self.names.append(tag)

    def numbers(self, tags: Sequence[str]) -> list[int]:
        """Return the numbers of tags, whose labels were added before."""
        return [self._number[split_tag(tag)] for tag in tags]

    def numbers_of_any(self, tags: Sequence[str]) -> list[int]:
        """Return the numbers of tags of any scheme; those without one get the next."""
        for tag in tags:
            if split_tag(tag) not in self._number:
                self._number[split_tag(tag)] = len(self.names)
                self.names.append(tag)
        return self.numbers(tags)


def scheme_of_names(names: Sequence[str]) -> str:
    """Tell which tag scheme a list of all tags is of."""
    prefixes = {split_tag(name)[0] for name in names if split_tag(name)[1] != name}
    if prefixes & {"E", "S"}:
        return "bioes"
    return "iob2" if "B" in prefixes else "io"
