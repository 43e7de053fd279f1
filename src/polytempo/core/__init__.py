"""What every stage needs and what imports nothing of ours: errors, time, files, progress, checks."""
