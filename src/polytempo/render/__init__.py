"""Edits and layers to frames, streamed."""
