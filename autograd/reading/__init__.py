"""What a recorded graph and the source behind it say, for pictures and for texts."""
