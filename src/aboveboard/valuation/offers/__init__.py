"""The platform's best offer to its users."""
