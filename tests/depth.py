"""How many examples hypothesis tries, by profile; tests/conftest.py loads the profile."""

from __future__ import annotations

EXAMPLES = {"quick": 10, "ci": 100, "full": 100}
"""Examples of a test that asks for no number. A shared machine is noisy: no deadlines."""


def up_to(most: int, few: int = EXAMPLES["quick"]) -> int:
    """Return the examples of a test that asks for its own number: few in the quick profile."""
    from hypothesis import settings  # where conftest.py has imported it, so that it stays compiled

    return min(most, few) if settings.get_current_profile_name() == "quick" else most
