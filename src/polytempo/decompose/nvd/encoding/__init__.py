"""Encodings of coordinates: multi-resolution hash grid in three implementations, and sines."""
