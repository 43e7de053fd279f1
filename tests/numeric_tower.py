"""The checker of the second test run: beartype with the numeric tower of PEP 484 (an int will do for a float)."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
