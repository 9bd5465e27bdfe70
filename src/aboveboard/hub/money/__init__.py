"""Transfers: what members owe by the results, netted over rounds, and who was paid when."""
