"""Run the command line as `python -m nertool`."""

from nertool.cli import main

main()
