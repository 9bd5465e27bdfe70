"""Games among traders, and what is checked of a market rule."""
