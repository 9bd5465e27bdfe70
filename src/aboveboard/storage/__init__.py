"""The parties' data in, files out whole or not at all."""
