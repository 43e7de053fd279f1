"""Drawn scenes of which every layer, matte, keypoint, flow and homography is known.

``draw(crossing())`` gives a clip with its truth; ``DrawnScene.render`` gives the truth of an edit; ``write_scene``
writes a folder that the bench reads.
"""
