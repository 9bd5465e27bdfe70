"""Winner determination: the allocation of greatest welfare."""
