"""Atlases as pictures that are painted on, and what the paint becomes in every frame."""
