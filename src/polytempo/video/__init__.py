"""Video in, video out: probing, reading, writing and keeping frames on disk."""
