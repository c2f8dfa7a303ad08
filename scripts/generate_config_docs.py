"""Write configs/reference.yaml, configs/schema.json and docs/config.md from the config's records."""

from __future__ import annotations

from pathlib import Path

from nertool.config.reference import generated_files

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    for name, text in generated_files().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(f"written: {name}")
