"""Who is where: masks, full silhouettes, trimaps and back-to-front order of every subject."""
