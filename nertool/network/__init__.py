"""The mathematics: pure functions of arrays. The room reads no files and prints nothing."""
