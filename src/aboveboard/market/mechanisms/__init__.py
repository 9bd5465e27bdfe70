"""The mechanisms of the market system as a collaboration runs them."""
