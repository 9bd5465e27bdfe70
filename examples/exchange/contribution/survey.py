"""What a coalition of surveyors knows together: the number of map squares it covers."""

COVERED = {
    "coast": set(range(0, 40)),
    "inland": set(range(30, 75)),
    "hills": set(range(60, 90)) | set(range(10, 15)),
    "islands": set(range(85, 100)),
}


def value(coalition: tuple[str, ...]) -> int:
    """Count the squares that somebody in the coalition covers."""
    return len(set().union(*(COVERED[name] for name in coalition)))
