"""Whose motion is in time with whose: signals, warps between them, and the moments at which something happens."""
