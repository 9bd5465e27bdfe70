"""Evidence: what each party needs to check the center, alone and offline.

Keys and signed statements, commitments to lists, a transparent log with checkpoints and receipts,
sealed messages, the joint seed, bundles, and their verification. `docs/evidence.md` describes the
protocol and every format.
"""
