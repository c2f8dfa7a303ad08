"""Recognise, read and write files of word vectors."""
