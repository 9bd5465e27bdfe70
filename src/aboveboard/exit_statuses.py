"""With which status a process ends where no command could finish; 0 to 3 are in `cli`."""

from __future__ import annotations

INTERRUPTED = 130
"""After Ctrl-C: 128 and the signal's number."""

TERMINATED = 143
"""After SIGTERM: 128 and the signal's number."""

NO_MEMORY = 71
"""Memory does not suffice: EX_OSERR of <sysexits.h>."""

CRASHED = 70
"""A defect of ours: EX_SOFTWARE of <sysexits.h>, and none of the meanings above."""
