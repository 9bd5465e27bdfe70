"""The hub's pages for people: members and the operator, without scripts.

A page shows what its reader may see anyway and changes nothing: statements are signed on the
member's own machine, by the desk or on the command line.
"""
