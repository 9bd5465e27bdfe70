"""What a market for a trained model consists of: qualities, valuations, allocation rules."""
