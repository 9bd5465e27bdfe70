"""Jobs: what the hub does by itself. Leased, fenced, done once however often a worker dies."""
