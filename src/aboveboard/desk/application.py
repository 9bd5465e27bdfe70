"""The desk as a WSGI application: pages that read, and forms that take one step each."""

from __future__ import annotations

import logging
import re
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIEnvironment

from aboveboard._version import __version__
from aboveboard.desk import answering, counting, disputing, new_keys, overview, pages, steps
from aboveboard.desk.forms import BadFormError, Form, read_form, read_length
from aboveboard.desk.guard import HEADERS, DeskGuard, RefusedVisitError
from aboveboard.desk.member import Desk
from aboveboard.errors import InputError
from aboveboard.evidence.folders import MOST_SEALED_BYTES
from aboveboard.evidence.keys import make_private_folder
from aboveboard.faults import list_faults
from aboveboard.formatting import format_bytes
from aboveboard.report.templates import load_template, read_stylesheet

logger = logging.getLogger(__name__)

MOST_BODY = MOST_SEALED_BYTES + 2**20
"""Bytes of a form: the largest file, and what stands around it."""

LINKS = (("/", "My collaborations"), ("/keys", "Keys"))

Start = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Parameters
    ----------
    content
        The body, or a file of it.
    status
        Of HTTP.
    headers
        Besides those that every answer has.
    """

    content: bytes | Path
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)


@dataclass
class Visit:
    """A request that has passed the guard.

    Parameters
    ----------
    desk
        Whose.
    root
        What every path begins with.
    path
        Without it.
    notice
        What the last step did, shown once.
    now
        When it came, in seconds since 1970.
    """

    desk: Desk
    root: str
    path: str
    notice: str = ""
    now: float = field(default_factory=time.time)

    def render(self, template: str, status: int = 200, **values: Any) -> Answer:
        """Return a page made from a template of the folder `desk`."""
        text = load_template(f"desk/{template}.html.jinja").render(
            root=self.root,
            site="Your desk",
            style=read_stylesheet()[0],
            version=__version__,
            links=LINKS,
            here=self.path,
            notice=self.notice,
            now=self.now,
            **values,
        )
        return Answer(text.encode("utf-8"), status)

    def refuse(self, error: InputError, status: int = 422, *, begun: bool = False) -> Answer:
        """Return the page that says what is wrong.

        Parameters
        ----------
        error
            It.
        status
            Of HTTP.
        begun
            Whether a step had begun, so that something may have been signed and sent.
        """
        faults = [(each.place, each.problem, each.remedy) for each in list_faults(error)]
        place = re.match(r"/round/[0-9a-f]{16}", self.path)
        back, log = (place[0], f"{place[0]}/log") if place else ("/", None)
        return self.render("problem", status, faults=faults, back=back, log=log, begun=begun)

    def send_file(self, path: Path) -> Answer:
        """Return a file to be saved."""
        headers = (
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", f'attachment; filename="{path.name}"'),
        )
        return Answer(path, headers=headers)


ROUND = r"/round/(?P<identifier>[0-9a-f]{16})"

PAGES: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"/", pages.show_first),
    (r"/keys", pages.show_keys),
    (ROUND, overview.show_round),
    (rf"{ROUND}/terms", pages.show_terms),
    (rf"{ROUND}/data", pages.show_data),
    (rf"{ROUND}/send", pages.show_sending),
    (rf"{ROUND}/result", pages.show_result),
    (rf"{ROUND}/count", counting.show_counting),
    (rf"{ROUND}/question", answering.show_question),
    (rf"{ROUND}/open", disputing.show_opening),
    (rf"{ROUND}/ruling", disputing.show_ruling),
    (rf"{ROUND}/vouch", new_keys.show_vouching),
    (rf"{ROUND}/recovery", new_keys.show_recovery),
    (rf"{ROUND}/log", pages.show_log),
    (rf"{ROUND}/reply", pages.send_reply),
    (rf"{ROUND}/terms\.json", pages.send_terms),
)

STEPS: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"/join", steps.join),
    (r"/hub", steps.log_in),
    (rf"{ROUND}/agree", steps.agree),
    (rf"{ROUND}/change", steps.sign_change),
    (rf"{ROUND}/file", steps.keep_files),
    (rf"{ROUND}/commit", steps.commit),
    (rf"{ROUND}/submit", steps.submit),
    (rf"{ROUND}/accept", steps.accept),
    (rf"{ROUND}/count", counting.count),
    (rf"{ROUND}/question", answering.check_answer),
    (rf"{ROUND}/answer", answering.send_answer),
    (rf"{ROUND}/open", disputing.open_part),
    (rf"{ROUND}/compute", disputing.compute_ruling),
    (rf"{ROUND}/ruling", disputing.rule),
    (rf"{ROUND}/vouch", new_keys.vouch),
    (rf"{ROUND}/recovery", new_keys.recover),
    (rf"{ROUND}/dispute", steps.dispute),
    (rf"{ROUND}/leave", steps.leave),
)


class DeskApplication:
    """Answers a browser's requests, one step at a time.

    Parameters
    ----------
    desk
        Whose.
    hosts
        Values of the Host header that are its.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from aboveboard.desk.member import Desk
    >>> with TemporaryDirectory() as home:
    ...     application = DeskApplication(Desk(Path(home)), hosts=["127.0.0.1:8000"])
    ...     asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "elsewhere.example"}
    ...     answer = b"".join(application(asked, lambda status, headers: print(status)))
    421 Misdirected Request
    """

    def __init__(self, desk: Desk, hosts: Collection[str]) -> None:
        self.desk, self.guard = desk, DeskGuard(hosts)
        self._lock, self._notice = threading.Lock(), ""

    def __call__(self, environ: WSGIEnvironment, start: Start) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        try:
            path = self.guard.check(environ)
        except RefusedVisitError as refusal:
            answer = Answer(
                f"{refusal.problem}\n".encode(),
                refusal.status,
                (("Content-Type", "text/plain; charset=utf-8"),),
            )
        else:
            answer = self._answer(path, environ)
        return _send(answer, environ, start)

    def _answer(self, path: str, environ: WSGIEnvironment) -> Answer:
        method = environ["REQUEST_METHOD"]
        name, content = read_stylesheet()
        if path == f"/static/{name}" and method in ("GET", "HEAD"):
            return Answer(content, headers=(("Content-Type", "text/css; charset=utf-8"),))
        visit = Visit(self.desk, self.guard.root, path)
        reads = method in ("GET", "HEAD")
        view, parts = _find(PAGES if reads else STEPS, path)
        if view is None:
            other, _ = _find(STEPS if reads else PAGES, path)
            status = 404 if other is None else 405
            return visit.refuse(InputError(path, "there is no such page", "go back"), status)
        if method not in ("GET", "HEAD", "POST"):
            return visit.refuse(InputError(path, "this is not possible", "go back"), 405)
        length = 0 if reads else read_length(environ)
        if length is None or length > MOST_BODY:
            return _refuse_length(visit, length)
        try:
            if reads:
                visit.notice, self._notice = self._notice, ""
                answer: Answer = view(visit, **parts)
                return answer
            with self._lock:  # a button that is pressed twice is one step after the other
                self._notice = self._step(visit, view, parts, environ, length)
            return self._redirect(visit)
        except InputError as error:
            return visit.refuse(error, begun=not reads)
        except BadFormError as error:
            return visit.refuse(InputError("the form", str(error), "use the page's own form"), 400)
        except pages.ShownError as shown:
            return visit.render(shown.template, **shown.values)
        except Exception:
            logger.exception("a page of the desk failed")
            defect = InputError("the desk", "this is a defect of aboveboard", "please report it")
            return visit.refuse(defect, 500, begun=not reads)

    def _step(
        self,
        visit: Visit,
        step: Callable[..., str],
        parts: dict[str, str],
        environ: WSGIEnvironment,
        length: int,
    ) -> str:
        """Take a step; return what it did, for the page that follows."""
        with tempfile.TemporaryDirectory(dir=self._make_folder()) as scratch:
            form: Form = read_form(
                environ["wsgi.input"], str(environ.get("CONTENT_TYPE", "")), length, Path(scratch)
            )
            return step(visit, form, **parts)

    def _make_folder(self) -> Path:
        """Return a folder on the disk of the member's own, so that files need not be copied."""
        folder = self.desk.home / "desk"
        make_private_folder(folder)
        return folder

    def _redirect(self, visit: Visit) -> Answer:
        back = re.match(r"/round/[0-9a-f]{16}", visit.path)
        place = f"{visit.root}{back[0] if back else '/'}"
        if visit.path.endswith("/file"):
            place += "/data"  # what the check finds, and what will leave
        return Answer(b"", 303, (("Location", place), ("Content-Type", "text/plain")))


def _refuse_length(visit: Visit, length: int | None) -> Answer:
    """Return the page that says that a form is too large, or does not say how large it is."""
    if length is None:
        problem = "your browser does not say how large it is"
        return visit.refuse(InputError("the form", problem, "use another browser"), 411)
    problem = f"it is larger than the {format_bytes(MOST_BODY)} that a round takes"
    return visit.refuse(InputError("the form", problem, "choose a smaller file"), 413)


def _find(
    table: tuple[tuple[str, Callable[..., Any]], ...], path: str
) -> tuple[Callable[..., Any] | None, dict[str, str]]:
    for pattern, view in table:
        found = re.fullmatch(pattern, path)
        if found is not None:
            return view, found.groupdict()
    return None, {}


def _send(answer: Answer, environ: WSGIEnvironment, start: Start) -> Iterable[bytes]:
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    content = answer.content
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    start(status, [*answer.headers, *HEADERS, ("Content-Length", str(size))])
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return _read_blocks(content) if isinstance(content, Path) else [content]


def _read_blocks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while block := file.read(2**16):
            yield block
