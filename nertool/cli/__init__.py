"""The command line. Only this package prints, exits and draws progress bars."""

from nertool.cli.app import main

__all__ = ["main"]
