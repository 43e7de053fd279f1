"""Layered neural rendering (LNR): an RGBA layer per subject with the effects that belong to it."""
