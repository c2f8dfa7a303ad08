"""Kernels: the innermost loops in C, and their calls from Python."""
