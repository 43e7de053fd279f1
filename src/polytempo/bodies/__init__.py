"""Bodies: keypoints of people, and the part and place on the body that each pixel shows."""
