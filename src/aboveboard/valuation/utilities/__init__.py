"""What a coalition of users is worth."""
