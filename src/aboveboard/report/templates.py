"""The page templates, loaded with escaping on."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEMPLATES = Path(__file__).parents[1] / "templates"


@cache
def make_environment() -> Environment:
    """Return the environment in which templates are read, each of them once for a process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def load_template(name: str) -> Template:
    """Return a template of the folder `templates`."""
    return make_environment().get_template(name)


@cache
def read_stylesheet() -> tuple[str, bytes]:
    """Return the name and the text of the style of pages that are served; the name changes with it.

    It is the style of the reports, and what pages with forms need besides.
    """
    parts = ("page.css", "service/service.css")
    content = b"".join((TEMPLATES / part).read_bytes() for part in parts)
    return f"{hashlib.sha256(content).hexdigest()[:16]}.css", content
