"""What sort of file a changed file is: by its path and, where that cannot say, its content."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aipipe_core.change.model import Kind
from aipipe_core.change.packages import OF_TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.DEPENDENCIES: (
        "requirements*.txt", "requirements*.in", "constraints*.txt", "*-requirements.txt",
        "pipfile", "pipfile.lock", "poetry.lock", "uv.lock", "pdm.lock", "pixi.lock",
        "pixi.toml", "pylock*.toml", "environment.yml", "environment.yaml", "conda-lock.yml",
        "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock",
        "pnpm-lock.yaml", "go.mod", "go.sum", "cargo.toml", "cargo.lock", "gemfile",
        "gemfile.lock", "composer.json", "composer.lock", "pom.xml", "build.gradle",
        "build.gradle.kts", ".gitmodules", "setup.py",
    ),
    Kind.DOCKER: (
        "dockerfile", "dockerfile.*", "*.dockerfile", "containerfile", "containerfile.*",
        ".dockerignore", "*.dockerignore", "docker-compose*.yml", "docker-compose*.yaml",
        "compose.yml", "compose.yaml", "compose.*.yml", "compose.*.yaml", "docker-bake.hcl",
        "docker-bake.json", "docker-entrypoint*", "docker-stack*.yml",
    ),
    Kind.CI: (
        ".gitlab-ci.yml", ".gitlab-ci.yaml", "jenkinsfile", "jenkinsfile.*", ".travis.yml",
        "azure-pipelines*.yml", "appveyor.yml", ".appveyor.yml", "bitbucket-pipelines.yml",
        ".drone.yml", ".woodpecker.yml", ".cirrus.yml", "cloudbuild.yaml",
        ".pre-commit-config.yaml", "renovate.json", "renovate.json5", ".renovaterc",
        "dependabot.yml", "dependabot.yaml", ".gitignore", ".git-blame-ignore-revs", ".mailmap",
        ".mergify.yml", ".yamllint", ".yamllint.yml", ".editorconfig", ".flake8", ".pylintrc",
        "ruff.toml", ".ruff.toml", "codecov.yml", ".codecov.yml", "noxfile.py", "tox.ini",
    ),
    Kind.TESTS: (
        "test_*.py", "*_test.py", "tests.py", "conftest.py", "*.test.js", "*.test.ts",
        "*.test.tsx", "*.test.jsx", "*.spec.js", "*.spec.ts", "*_test.go", "pytest.ini",
    ),
    Kind.DOCS: (
        "*.md", "*.rst", "*.adoc", "*.asciidoc", "*.mdx", "readme", "readme.txt", "changelog",
        "changelog.txt", "changes", "changes.txt", "news", "news.txt", "history.txt", "license",
        "license.txt", "licence", "copying", "notice", "notice.txt", "authors", "authors.txt",
        "contributors", "contributors.txt", "codeowners", "mkdocs.yml", ".readthedocs.y*ml",
        "citation.cff",
    ),
    Kind.CONFIGURATION: (
        "*.toml", "*.ini", "*.cfg", "*.conf", "*.yml", "*.yaml", "*.properties", "*.json",
        "*.json5", "*.env", ".env", ".env.*", "*.tf", "*.tfvars", "*.hcl", ".gitattributes",
        ".coveragerc", "settings.py",
        "config.py", "conf.py", "*_settings.py", "*_config.py", "gunicorn.conf.py", "procfile",
        "makefile", ".python-version", "runtime.txt",
    ),
    Kind.GENERATED: (
        "*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*.min.js", "*.min.css", "*.js.map",
        "*.generated.*", "*_generated.*", "*.g.dart", "*.pb.go", "*.snap",
    ),
}  # fmt: skip
"""Patterns of file names, all in lower case."""

FOLDERS: Mapping[Kind, frozenset[str]] = {
    Kind.TESTS: frozenset({"tests", "__tests__", "testdata"}),
    Kind.DOCS: frozenset({"docs", "doc", "documentation", "changelog.d", "newsfragments"}),
    Kind.CI: frozenset({".circleci", ".buildkite", ".woodpecker", ".gitlab", ".teamcity"}),
    Kind.MIGRATION: frozenset({"migrations", "migrate", "alembic"}),
    Kind.DEPENDENCIES: frozenset({"requirements"}),
    Kind.CONFIGURATION: frozenset({"settings", "helm", "terraform", "k8s"}),
    Kind.GENERATED: frozenset({"generated", "__generated__", "node_modules"}),
}

TOP_TEST_FOLDERS = frozenset({"test", "testing"})
"""Tests only at the repository's top: deeper, ``testing`` is often a part of the product."""

CODE_SUFFIXES = _words(
    ".py .pyi .pyw .pyx .pxd .ipynb .js .jsx .mjs .cjs .ts .tsx .vue .svelte .go .rs .java .kt "
    ".kts .scala .c .h .cc .cpp .cxx .hpp .cs .rb .php .swift .m .lua .pl .r .jl .ex .exs .erl "
    ".sh .bash .zsh .fish .ps1 .sql .html .htm .jinja .jinja2 .j2 .css .scss .graphql .proto"
)

_AUTH_WORDS = _words(
    "auth authn authz authentication authorization oauth oauth2 oidc saml sso login logins "
    "logout signin signup password passwords passwd permission permissions rbac acl jwt "
    "credential credentials security csrf totp mfa ldap"
)
"""In a path. Words such as token or session mean too much else; content decides there."""

_AUTH_CONTENT = re.compile(
    r"\b(login_required|permission_required|check_password|set_password|authenticate\(|"
    r"jwt\.(en|de)code|permission_classes|verify_password|hash_password|bcrypt|passlib|argon2|"
    r"HTTPBearer|OAuth2\w+|compare_digest|itsdangerous|create_access_token|current_user)"
)
_MIGRATION_CONTENT = re.compile(
    rb"class Migration\(migrations\.Migration\)|^from alembic import op|^down_revision\b",
    re.MULTILINE,
)
_MIGRATION_SQL = re.compile(r"(v|r|u)?\d[\d_.]*__?.+\.sql|.+\.(up|down)\.sql")
_GENERATED_CONTENT = re.compile(
    rb"@generated\b|\bDO NOT EDIT\b|[Cc]ode generated by|[Aa]uto-?generated (by|file|from)|"
    rb"[Tt]his file (is|was) (auto(matically|-)? ?)?generated"
)
_DEPENDENCY_CONTENT = re.compile(
    r"^\s*(dependencies|requires|requires-python|python_requires|install_requires|"
    r"extras_require|build-backend)\b|"
    r"^\s*[\"']?[\w.\-\[\], ]+\s*(===?|~=|>=|<=|!=|[<>^])\s*[\"']?\d|"
    r"^\s*[\w.-]+\s*=\s*([\"'][~^<>=*\d]|\{.*\bversion\b)"
)
_HEAD = 2000
"""Bytes in which a file says that it is generated."""


def kinds_of(
    path: str, *, content: bytes | None = None, changed: Iterable[str] = ()
) -> frozenset[Kind]:
    """Return the kinds of the file at ``path``; never empty.

    ``content`` is the file itself (the side that exists) and ``changed`` its removed and added
    lines; both may be left out, and only the path is then asked.
    """
    pure = PurePosixPath(path)
    folders = {part.lower() for part in pure.parts[:-1]}
    name = pure.name.lower()
    kinds = {kind for kind, patterns in NAMES.items() if _matches(name, patterns)}
    kinds |= {kind for kind, known in FOLDERS.items() if folders & known}
    if _is_ci(pure):
        kinds.add(Kind.CI)
    if len(pure.parts) > 1 and pure.parts[0].lower() in TOP_TEST_FOLDERS:
        kinds.add(Kind.TESTS)
    kinds |= _of_source(name, folders)
    lines = list(changed)
    kinds |= _by_content(pure, kinds, content or b"", lines)
    return frozenset(_settled(kinds, name) or {Kind.OTHER})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_ci(path: PurePosixPath) -> bool:
    """Whether the forge, or what it runs, reads the file; its documents aside."""
    parts = [part.lower() for part in path.parts[:-1]]
    if parts[:1] == [".github"] and not _matches(path.name.lower(), NAMES[Kind.DOCS]):
        return True
    return parts[:2] in ([".github", "workflows"], [".github", "actions"]) or parts[:1] == [".ci"]


def _of_source(name: str, folders: set[str]) -> set[Kind]:
    """Return what a source file's own words say: code, and authentication where it is named."""
    suffix = PurePosixPath(name).suffix
    if suffix not in CODE_SUFFIXES:
        return set()
    words = set(re.split(r"[^a-z0-9]+", name)) | {
        word for folder in folders for word in re.split(r"[^a-z0-9]+", folder)
    }
    found = {Kind.CODE}
    if words & _AUTH_WORDS:
        found.add(Kind.AUTHENTICATION)
    return found


def _by_content(
    path: PurePosixPath, kinds: set[Kind], content: bytes, changed: list[str]
) -> set[Kind]:
    found: set[Kind] = set()
    if _GENERATED_CONTENT.search(content[:_HEAD]) and Kind.DOCS not in kinds:
        found.add(Kind.GENERATED)
    if Kind.CODE in kinds:
        if path.suffix == ".py" and _MIGRATION_CONTENT.search(content[:_HEAD]):
            found.add(Kind.MIGRATION)
        if path.suffix == ".sql" and _MIGRATION_SQL.fullmatch(path.name.lower()):
            found.add(Kind.MIGRATION)
        if any(_AUTH_CONTENT.search(line) for line in changed):
            found.add(Kind.AUTHENTICATION)
    if path.name.lower() in ("pyproject.toml", "setup.cfg") and (
        not changed or any(_DEPENDENCY_CONTENT.search(line) for line in changed)
    ):
        found.add(Kind.DEPENDENCIES)
    if not path.suffix and content.startswith(b"#!") and not kinds:
        found.add(Kind.CODE)
    return found


def _settled(kinds: set[Kind], name: str) -> set[Kind]:
    """Return the kinds that stand when one rules out another."""
    kinds = set(kinds)
    if Kind.TESTS in kinds:
        kinds -= {Kind.CODE, Kind.AUTHENTICATION, Kind.MIGRATION, Kind.CONFIGURATION}
        kinds -= {Kind.DOCS, Kind.DEPENDENCIES} if name.endswith((".py", ".txt", ".md")) else set()
    if Kind.MIGRATION in kinds and Kind.CODE not in kinds and not name.endswith((".ini", ".mako")):
        kinds.discard(Kind.MIGRATION)
    if Kind.DOCS in kinds:
        # What only the documentation's own build installs is a part of the documentation.
        kinds -= {Kind.AUTHENTICATION, Kind.MIGRATION, Kind.DEPENDENCIES}
        if name.endswith((".html", ".css", ".js", ".htm")):
            kinds.discard(Kind.CODE)
    if (
        kinds & {Kind.DEPENDENCIES, Kind.DOCKER, Kind.CI, Kind.DOCS}
        and name.endswith((".toml", ".yml", ".yaml", ".json", ".json5", ".txt", ".lock", ".ini"))
        and name not in ("pyproject.toml", "tox.ini")
    ):
        kinds.discard(Kind.CONFIGURATION)
    if Kind.DEPENDENCIES in kinds and (tool := OF_TOOLS.fullmatch(name)):
        kinds.discard(Kind.DEPENDENCIES)
        kinds.add(Kind.DOCS if tool["what"].startswith("doc") else Kind.CI)
    if name in ("setup.py", "noxfile.py"):
        kinds.discard(Kind.CONFIGURATION)
    return kinds
