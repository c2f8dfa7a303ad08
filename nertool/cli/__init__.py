"""The command line: parse, call one function, show. It alone prints, exits and draws progress bars."""

from nertool.cli.app import main

__all__ = ["main"]
