"""``docker build``'s options, taken as they are."""

from __future__ import annotations

import argparse
import functools
import os
import re
from pathlib import Path
from typing import NoReturn

from aipipe_build.request import BuildRequest
from aipipe_core.errors import RequestError

# Those without effect on the cache are accepted so that a command line can be used unchanged.
PASSED_VALUES = (
    "--allow", "--annotation", "--attest", "--cache-from", "--cache-to", "--iidfile",
    "--metadata-file", "--output", "--progress", "--provenance", "--sbom", "--secret", "--ssh",
    "--tag", "--isolation", "--memory", "--memory-swap", "--cpu-period", "--cpu-quota",
    "--cpu-shares", "--cpuset-cpus", "--cpuset-mems", "--security-opt", "--call",
    "--server-config", "--policy",
)  # fmt: skip
"""Options with a value that reach no cache key."""
SWITCHES = (
    "--load", "--push", "--pull", "--quiet", "--rm", "--force-rm", "--squash", "--compress",
    "--debug", "--check", "--disable-content-trust",
)  # fmt: skip
"""Boolean options that reach no cache key."""
BUILD_OPTIONS = (
    "--target", "--build-arg", "--build-context", "--label", "--add-host", "--platform",
    "--network", "--no-cache", "--no-cache-filter", "--shm-size", "--ulimit", "--cgroup-parent",
)  # fmt: skip
"""Options that reach a cache key or the image's configuration."""
_SHORT = {"--output": "-o", "--tag": "-t", "--quiet": "-q", "--memory": "-m", "--debug": "-D"}
_COLUMNS = 80
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class _Help(argparse.HelpFormatter):
    """Asks for the terminal's width itself: one is made for each option that is added."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


@functools.cache
def _columns() -> int:
    """Return what ``shutil.get_terminal_size`` does, without loading every archive format."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(1).columns or _COLUMNS
    except OSError:
        return _COLUMNS


class ArgumentParser(argparse.ArgumentParser):
    """Reports a wrong command line as an error of ours."""

    def error(self, message: str) -> NoReturn:
        """Raise ``option-wrong``."""
        raise RequestError("option-wrong", message, hint=f"See {self.prog} --help.")


def make_parser(prog: str, description: str) -> argparse.ArgumentParser:
    """Return a parser that knows ``docker build``'s options."""
    parser = ArgumentParser(
        prog=prog, description=description, allow_abbrev=False, formatter_class=_Help
    )
    parser.add_argument("path", nargs="?", help="the build context, as docker build takes it")
    parser.add_argument("--context", metavar="DIR", help="the build context (default: .)")
    parser.add_argument("--file", "-f", metavar="DOCKERFILE", help="default: DIR/Dockerfile")
    parser.add_argument("--target", default="", metavar="STAGE")
    parser.add_argument("--builder", default="", metavar="NAME", help="whose cache is meant")
    parser.add_argument("--build-arg", action="append", default=[], metavar="K=V")
    parser.add_argument("--build-context", action="append", default=[], metavar="NAME=SOURCE")
    parser.add_argument("--label", action="append", default=[], metavar="K=V")
    parser.add_argument("--add-host", action="append", default=[], metavar="HOST:IP")
    parser.add_argument("--platform", action="append", default=[])
    parser.add_argument("--network", default="")
    parser.add_argument("--no-cache", action="store_true", dest="no_cache")
    parser.add_argument(
        "--no-no-cache", action="store_false", dest="no_cache", help=argparse.SUPPRESS
    )
    parser.add_argument("--no-cache-filter", action="append", default=[], metavar="STAGE")
    parser.add_argument("--shm-size", default="")
    parser.add_argument("--ulimit", action="append", default=[])
    parser.add_argument("--cgroup-parent", default="")
    others = parser.add_argument_group("of docker build, without effect on the cache")
    for name in PASSED_VALUES:
        names = [name, _SHORT[name]] if name in _SHORT else [name]
        others.add_argument(*names, action="append", help=argparse.SUPPRESS)
    for name in SWITCHES:
        names = [name, _SHORT[name]] if name in _SHORT else [name]
        others.add_argument(*names, nargs="?", const="true", help=argparse.SUPPRESS)
    return parser


def parse_options(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """Parse ``argv``; boolean ``--x=true`` forms of docker are understood."""
    forms = {"--no-cache=true": "--no-cache", "--no-cache=false": "--no-no-cache"}
    plain = [forms.get(word, word) for word in argv]
    # Only with an equals sign does --json name a file: what follows it may be the context.
    plain = [re.sub(r"^--json=(?!-$)", "--json-file=", word) for word in plain]
    plain = ["--json" if word == "--json=-" else word for word in plain]
    options, unknown = parser.parse_known_args(plain)
    if unknown:
        import difflib

        known = [name for action in parser._actions for name in action.option_strings]  # noqa: SLF001
        near = difflib.get_close_matches(unknown[0].partition("=")[0], known, n=1)
        raise RequestError(
            "option-wrong",
            f"unknown option {unknown[0]}",
            hint=f"Did you mean {near[0]}?" if near else f"See {parser.prog} --help.",
        )
    return options


def make_request(options: argparse.Namespace, *, environ: dict[str, str]) -> BuildRequest:
    """Return the build that the options ask for. Raises :class:`RequestError`."""
    context = Path(options.context or options.path or ".")
    if str(context) == "-" or re.match(r"(?:https?|git|ssh)://|git@", str(context)):
        raise RequestError(
            "context-remote",
            "only a folder of this machine can be predicted",
            where=str(context),
            hint="Check the context out and name its folder.",
        )
    return BuildRequest(
        context=context,
        dockerfile=_dockerfile(options.file, context),
        target=options.target,
        builder=options.builder or environ.get("BUILDX_BUILDER") or "default",
        build_args=_build_args(options.build_arg, environ),
        build_contexts=_contexts(options.build_context),
        labels=_pairs(options.label, {}, empty=True),
        hosts=tuple(_host(entry) for entry in options.add_host),
        platform=_platform(options.platform),
        network="" if options.network == "default" else options.network,
        no_cache=options.no_cache,
        no_cache_filter=tuple(
            name for entry in options.no_cache_filter for name in entry.split(",") if name
        ),
        shm_size=_size(options.shm_size),
        ulimits=_limits(options.ulimit),
        cgroup_parent=options.cgroup_parent,
    )


def _dockerfile(given: str | None, context: Path) -> Path:
    if given == "-":
        raise RequestError(
            "dockerfile-stdin",
            "a Dockerfile from standard input cannot be predicted",
            hint="Write it to a file and name that with --file.",
        )
    if given:
        return Path(given)
    default = context / "Dockerfile"
    lower = context / "dockerfile"
    return lower if not default.exists() and lower.exists() else default


def _pairs(entries: list[str], environ: dict[str, str], *, empty: bool = False) -> dict[str, str]:
    """Read ``K=V``; a bare ``K`` takes its value from the environment, as docker does."""
    pairs: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not name:
            raise RequestError("option-wrong", f"{entry!r} has no name", hint="Write it as K=V.")
        if equals or empty:
            pairs[name] = value
        elif name in environ:
            pairs[name] = environ[name]
    return pairs


def _build_args(entries: list[str], environ: dict[str, str]) -> dict[str, str]:
    given = _pairs(entries, environ)
    # buildx hands this variable on as an argument unless it is given as one.
    epoch = environ.get("SOURCE_DATE_EPOCH", "")
    return {"SOURCE_DATE_EPOCH": epoch, **given} if epoch else given


def _contexts(entries: list[str]) -> dict[str, str]:
    contexts: dict[str, str] = {}
    for entry in entries:
        name, equals, source = entry.partition("=")
        if not equals or not source:
            raise RequestError(
                "option-wrong", f"{entry!r} is no build context", hint="Write it as NAME=SOURCE."
            )
        name = name.lower().removesuffix(":latest")
        contexts[name] = source.removeprefix("local:")
    return contexts


def _host(entry: str) -> str:
    return re.split("[:=]", entry, maxsplit=1)[0].lower()


def _platform(entries: list[str]) -> str:
    names = [name for entry in entries for name in entry.split(",") if name]
    if len(names) > 1:
        raise RequestError(
            "platform-several",
            "several platforms are several builds",
            hint="Predict one platform at a time.",
        )
    return names[0] if names else ""


def _size(text: str) -> int:
    if not text:
        return 0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?)i?b?|(\d+)b", text.strip().lower())
    if not found:
        raise RequestError("option-wrong", f"{text!r} is no size", hint="Write it as 64m.")
    return int(float(found[1] or found[3]) * _UNITS[found[2] or ""])


def _limits(entries: list[str]) -> tuple[str, ...]:
    """Read ``name=soft[:hard]``: the last of a name counts, their order does not."""
    limits: dict[str, str] = {}
    for entry in entries:
        name, _, value = entry.partition("=")
        soft, _, hard = value.partition(":")
        limits[name] = f"{soft.strip()}:{(hard or soft).strip()}"
    return tuple(f"{name}={value}" for name, value in sorted(limits.items()))


def current_environment() -> dict[str, str]:
    """Return the environment that bare arguments take their values from."""
    return dict(os.environ)
