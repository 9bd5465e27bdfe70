"""Notices by mail and webhook: "it is your turn", and nothing else."""
