"""Running the stages of one or many clips."""
