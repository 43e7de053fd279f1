"""Drawn scenes of which every layer, matte and homography is known."""
