"""Optimisation on one clip: frames and subjects in, layers out."""
