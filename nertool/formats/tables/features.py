"""The features that the library `datasets` writes into a table's metadata, such as names of numbered tags.

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
    """Return each column's feature as the library wrote it. Empty if it wrote none."""
    value = json_metadata(schema, METADATA)
    info = value.get("info") if isinstance(value, dict) else None
    features = info.get("features") if isinstance(info, dict) else None
    return features if isinstance(features, dict) else {}


def class_names(feature: Any) -> tuple[str, ...]:
    """Return the class names of a column of numbers, or of lists of numbers. () if it has none."""
    if isinstance(feature, list) and len(feature) == 1:
        return class_names(feature[0])
    if not isinstance(feature, dict):
        return ()
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        return tuple(map(str, names))
    return class_names(feature.get("feature"))


def with_class_names(feature: Any, names: Sequence[str]) -> Any:
    """Return a feature of lists of numbers with these class names.

    Without a previous feature, it has the form that all versions of the library read.
    """
    if isinstance(feature, dict) and "feature" in feature:
        return {**feature, "feature": with_class_names(feature["feature"], names)}
    if isinstance(feature, list) and len(feature) == 1:
        return [with_class_names(feature[0], names)]
    label = {"names": list(names), "_type": "ClassLabel"}
    return label if isinstance(feature, dict) else {"feature": label, "_type": "Sequence"}


def metadata_of(features: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Return a schema's metadata that holds the features of its columns. Empty if there are none."""
    from nertool.formats.json.text import dump

    return {METADATA: dump({"info": {"features": dict(features)}}).encode()} if features else {}


def numbered_columns(raw_schema: bytes) -> list[str]:
    """Return the columns whose numbers stand for class names. raw_schema: a schema as Arrow serialises it."""
    from nertool.formats.tables.arrow import load_arrow

    pa = load_arrow()
    schema = pa.ipc.read_schema(pa.py_buffer(raw_schema))
    named = {name for name, feature in features_of(schema).items() if class_names(feature)}
    return sorted(named - {GOLD})  # the reader has already replaced gold's numbers by names


class Numbering:
    """Maps tags to numbers: first the names that the table has, in their order, then further tags."""

    def __init__(self, names: Sequence[str], scheme: str) -> None:
        self.names = list(names) or [OUTSIDE]
        self.scheme = scheme_of_names(names) if names else scheme
        self._number = {split_tag(name): i for i, name in reversed(list(enumerate(self.names)))}

    def add(self, labels: Sequence[str]) -> None:
        """Number all tags of these labels in the scheme that have no number yet."""
        for tag in tag_names(labels, self.scheme):
            if split_tag(tag) not in self._number:
                self._number[split_tag(tag)] = len(self.names)
                self.names.append(tag)

    def numbers(self, tags: Sequence[str]) -> list[int]:
        """Return the numbers of tags. Their labels must have been added before."""
        return [self._number[split_tag(tag)] for tag in tags]

    def numbers_of_any(self, tags: Sequence[str]) -> list[int]:
        """Return the numbers of tags of any scheme. Tags without a number get the next one."""
        for tag in tags:
            if split_tag(tag) not in self._number:
                self._number[split_tag(tag)] = len(self.names)
                self.names.append(tag)
        return self.numbers(tags)


def scheme_of_names(names: Sequence[str]) -> str:
    """Return the tag scheme of a list of all tags: bioes, iob2 or io."""
    prefixes = {split_tag(name)[0] for name in names if split_tag(name)[1] != name}
    if prefixes & {"E", "S"}:
        return "bioes"
    return "iob2" if "B" in prefixes else "io"
