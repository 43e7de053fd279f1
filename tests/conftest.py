"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A machine that is busy with something else is no fault of the code.
settings.register_profile("polytempo", deadline=None)
settings.load_profile("polytempo")
