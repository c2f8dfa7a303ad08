"""The Python API (`import nertool`): load, train, evaluate, read and convert; taggers and documents."""
