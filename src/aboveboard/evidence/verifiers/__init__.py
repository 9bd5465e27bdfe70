"""One verifier for each mechanism: what its rule lets a party check from what is public."""
