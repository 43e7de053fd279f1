"""Small drawn scenes with known truth, for every test that needs people in a picture.

Fixtures, drawn once a run and read-only (``tests/conftest.py`` hands them out; just name one as an argument):

- ``crossing_scene``: two walkers, 128×96, 12 frames, still camera, floor reflections, the far one (layer 1) mostly
  hidden in the middle;
- ``jumping_scene``: two jumpers on mats that dent, 128×96, 12 frames, a trembling hand;
- ``panning_scene``: two walkers, 128×96, 12 frames, a turning camera;
- ``lone_scene``: one walker, 96×64, 6 frames, without grain; the cheapest;
- ``crossing_folder``: ``crossing_scene`` as a folder on disk, laid out as ``score.py`` reads it.

Each is a ``polytempo.synth.draw.DrawnScene``: ``pictures`` (with grain), ``clean``, ``bodies``, ``effects``, ``masks``,
``amodal``, ``keypoints``, ``flow_forward``, ``order``, ``camera``, ``background(t)``, ``render(maps, without=, solo=)``
for the truth of an edit, and ``stack()`` for the true layer stack. ``true_cast`` gives the cast a perfect objects stage
would make, ``detections`` the keypoints that a perfect detector would find, and ``psnr`` the difference of
two clips in dB.
"""

from support.scenes import detections, draw_small, psnr, true_cast

__all__ = ["detections", "draw_small", "psnr", "true_cast"]
