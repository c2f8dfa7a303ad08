"""`nertool info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nertool.cli.common.options import AsJson, ModelPath, print_json

if TYPE_CHECKING:
    from nertool.model.model import Model


def info(model: ModelPath, as_json: AsJson = False) -> None:
    """Say what a model knows, how it was trained, how good it is on its dev text, and how large it is.

    Examples:
        nertool info runs/my
        nertool info runs/my --json
    """
    from nertool.model.storage import load_model, model_folder

    facts = facts_of(load_model(model), model_folder(model))
    if as_json:
        print_json(facts)
        return
    for line in _lines(facts):
        print(line)


def facts_of(model: Model, folder: Path) -> dict[str, Any]:
    """Return what there is to say of a model, ready for JSON."""
    config, provenance = model.config, model.provenance
    sizes = {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.is_file()}
    networks = (*model.first_stage, *model.members)
    return {
        "folder": str(folder),
        "labels": model.labels,
        "tag_scheme": model.corpus_scheme,
        "members": len(model.members),
        "first_stage": len(model.first_stage),
        "window": config.windows.size,
        "hidden": config.network.hidden,
        "parameters": sum(int(a.size) for net in networks for a in net.parameters.values()),
        "words_with_vectors": max(len(net.L) for net in networks),
        "decoding": config.decoding.method,
        "trained_with": provenance.get("nertool"),
        "seed": provenance.get("seed"),
        "epoch": provenance.get("epoch"),
        "dev": provenance.get("dev"),
        "calibration": provenance.get("calibration"),
        "bytes": sum(sizes.values()),
        "files": sizes,
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    """Return the facts as lines for people."""
    networks = f"{facts['members']} network" + "s" * (facts["members"] != 1)
    if facts["first_stage"]:
        networks += ", after a first stage"
    lines = [
        f"{facts['folder']}: a model of nertool {facts['trained_with'] or '(unknown version)'}",
        f"finds       {', '.join(facts['labels'])} (tags written in {facts['tag_scheme']})",
        f"networks    {networks}: window {facts['window']}, {facts['hidden']} hidden units, "
        f"{facts['parameters']:,} parameters",
        f"vocabulary  {facts['words_with_vectors']:,} words with a vector",
        f"trained     seed {facts['seed']}, best epoch {_epochs(facts['epoch'])}",
        f"size        {facts['bytes'] / 1e6:.1f} MB in {len(facts['files'])} files",
    ]
    dev = facts["dev"]
    if not dev:
        return [*lines, "dev         none: it was trained without a dev text"]
    from nertool.evaluation.tables import as_table

    return [*lines, "", "On its dev text:", "", as_table(dev)]


def _epochs(epoch: int | list[int] | None) -> str:
    if isinstance(epoch, list):
        return ", ".join(map(str, epoch))
    return "unknown" if epoch is None else str(epoch)
