"""Accepting catching tests: which of them, and where the tests of head's behaviour go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_aipipe.session.ask import build_request
from pytest_aipipe.session.folder import write_text
from pytest_aipipe.session.nodes import relative_to_root
from pytest_aipipe.session.written import free_name

if TYPE_CHECKING:
    from pytest_aipipe.session.host import Host

SECONDS = 60.0
"""For all of them; each takes a few runs."""


def waiting(folder: Path, name: str) -> list[Path]:
    """Return the catching tests in ``folder`` that ``name`` asks for; "" asks for all.

    ``name`` is a file's name, with or without its ending, its path, or a test's node id.
    """
    files = sorted(f for f in folder.glob("*.py") if f.name != "conftest.py")
    wanted = Path(name.partition("::")[0]).name.removesuffix(".py")
    return [f for f in files if not name or f.stem == wanted]


def accept_all(host: Host, files: list[Path]) -> None:
    """Turn ``files`` into tests of head's behaviour; a note of each says what became of it."""
    from pytest_aipipe.compare.accept import accept
    from pytest_aipipe.generate.surroundings import launcher

    run, ledger = host.run, host.admission.ledger
    texts = {file.name: file.read_text("utf-8") for file in files}
    request = build_request(host, SECONDS)
    run.target = request.target
    launch = launcher(request, run.note)
    try:
        done = accept(request, texts, launch=launch.start)
    finally:
        launch.close()
    folder = host.admission.folder()
    for file in files:
        result = done[file.name]
        if not result.text:
            run.note(f"{file.name} was not accepted: {result.why_not}. [not-accepted]")
            continue
        place = folder / free_name(folder, file.name, ledger)
        write_text(place, result.text)  # no test that the next run may replace
        ledger.remove(file)
        file.unlink(missing_ok=True)
        run.note(f"Accepted: {relative_to_root(place, run.change.root)} states what head does.")
