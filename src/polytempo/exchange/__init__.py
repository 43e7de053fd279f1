"""Out of the program and into it: files that other tools read and write."""
