"""What an operator does besides: look, check, back up, restore."""
