"""The project folder: stages keyed by what went into them, and the report."""
