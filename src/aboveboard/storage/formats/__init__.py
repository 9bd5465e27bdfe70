"""The formats of data files: each module reads one, from bytes to elements or to a table."""
