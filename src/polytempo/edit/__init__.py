"""What the user asked for, as data: time maps, the edit decision list and operations on it."""
