"""The mathematics: pure functions of arrays. No files, no printing, numpy (and one sparse product) only."""
