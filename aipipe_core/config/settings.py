"""The one table of settings: name, kind, default and meaning stand together.

A field of :class:`Settings` is a key; a field with ``table`` in its metadata holds another
such dataclass, a table. Adding a setting is adding a field: the reader, the environment's
names, ``aipipe doctor`` and the documentation follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from aipipe_core.config.kinds import Number, Switch, SwitchOrText, Text, Texts, ValueKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "AIPIPE_"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: ``default``, ``file``, ``environment`` or ``flag``, and which."""

    layer: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.layer} {self.where}".rstrip()


@dataclass(frozen=True, slots=True)
class Key:
    """One setting as the documentation shows it."""

    name: str
    kind: ValueKind
    default: object
    doc: str

    @property
    def environment(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.replace(".", "_").upper()


def setting(kind: ValueKind, doc: str, *, default: object) -> Any:
    """Declare a key as a dataclass field."""
    return field(default=default, metadata={"kind": kind, "doc": doc})


@dataclass(frozen=True)
class StoreSettings:
    """Where what was learned is kept."""

    url: str = setting(
        Text(what="an SQLAlchemy URL"),
        "The store's SQLAlchemy URL; empty is SQLite in `.aipipe/`.",
        default="",
    )


@dataclass(frozen=True)
class RiskSettings:
    """Where risk levels begin."""

    medium: float = setting(
        Number(0, 1), "Probability from which a change is medium risk.", default=0.25
    )
    high: float = setting(
        Number(0, 1), "Probability from which a change is high risk.", default=0.6
    )


@dataclass(frozen=True)
class ModelSettings:
    """Which model is asked, how, and what it may take. The key stays in the environment."""

    provider: str = setting(
        Text(("auto", "openai", "azure")),
        "Whose API; auto is Azure where `AZURE_OPENAI_ENDPOINT` is set.",
        default="auto",
    )
    api: str = setting(
        Text(("auto", "chat", "responses")),
        "Chat Completions or Responses; auto is chat where a base URL is set.",
        default="auto",
    )
    base_url: str = setting(
        Text(what="a URL"), "Address of a compatible server; empty is `OPENAI_BASE_URL`.",
        default="",
    )  # fmt: skip
    key_variable: str = setting(
        Text(what="a variable's name"),
        "The environment variable that holds the key; empty is the package's own.",
        default="",
    )
    azure_api_version: str = setting(
        Text(), "Azure's API version; empty is `OPENAI_API_VERSION`.", default=""
    )
    large: str = setting(
        Text(what="a model's name"), "The model for risk and strategy.", default="gpt-4.1"
    )
    large_price: str = setting(
        Text(), "Its price, IN/CACHED/OUT in dollars for a million tokens.", default=""
    )
    large_context: int = setting(
        Number(1000, whole=True), "Tokens that it can read at once.", default=128_000
    )
    small: str = setting(
        Text(what="a model's name"), "The model for tests, builds, logs.", default="gpt-4.1-mini"
    )
    small_price: str = setting(
        Text(), "Its price, IN/CACHED/OUT in dollars for a million tokens.", default=""
    )
    small_context: int = setting(
        Number(1000, whole=True), "Tokens that it can read at once.", default=128_000
    )
    timeout: float = setting(Number(0.1), "Seconds that one call may take.", default=45.0)
    retries: int = setting(
        Number(0, 10, whole=True), "How often a failed call is tried again.", default=2
    )
    parallel: int = setting(
        Number(1, 64, whole=True), "How many calls run at the same time.", default=4
    )
    structured: str = setting(
        Text(("auto", "schema", "json", "off")),
        "How a server is held to a schema; auto finds out.",
        default="auto",
    )
    stream: bool = setting(Switch(), "Read chat answers as they come.", default=True)
    cache: bool = setting(Switch(), "Keep answers in the store and use them again.", default=True)
    record: str = setting(Text(what="a folder"), "Write every exchange to this folder.", default="")
    replay: str = setting(
        Text(what="a folder"), "Answer from the exchanges in this folder only.", default=""
    )
    preview: str = setting(
        Text(what="a file"), "Write what would be sent to this file, and send nothing.",
        default="",
    )  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Every setting, checked. ``sources`` tells where each came from, by dotted name."""

    engine: tuple[str, ...] = setting(
        Texts(),
        "Engines that write tests, in their order: auto, local, llm, none.",
        default=("auto",),
    )
    budget: float = setting(
        Number(0),
        "Seconds for generation over the whole change; 0 generates nothing.",
        default=60.0,
    )
    write: bool | str = setting(
        SwitchOrText("a folder"),
        "Keep the admitted tests: beside their kin, or in a folder.",
        default=False,
    )
    fail_under: float | None = setting(
        Number(0, 100), "Fail below this percentage of changed-line coverage.", default=None
    )
    behavior: bool = setting(Switch(), "Compare the behaviour of base and head.", default=True)
    select: bool = setting(Switch(), "Run only the tests that the change affects.", default=True)
    flaky_reruns: int = setting(
        Number(0, 10_000, whole=True), "Reruns of a suspect test.", default=10
    )
    flaky_hunt: bool | str = setting(
        SwitchOrText("minutes"), "Hunt for flaky tests after each run.", default=False
    )
    flaky_fix: bool = setting(Switch(), "Write the proven mends of flaky tests.", default=False)
    sandbox: str = setting(
        Text(("auto", "require", "off")), "Isolation of generated code.", default="auto"
    )
    report: tuple[str, ...] = setting(
        Texts(),
        "Reports as TYPE or TYPE:DEST: term, json, md, html, sarif, gitlab, cobertura, github.",
        default=("term",),
    )
    send: str = setting(
        Text(("none", "signatures", "diff")),
        "What may leave for a model: nothing, signatures, or the changed code.",
        default="diff",
    )
    max_cost: str = setting(
        Text(what="dollars"), "Dollars that a run may cost, or RUN/DAY.", default=""
    )
    max_tokens: str = setting(
        Text(what="tokens"), "Tokens that a run may take, or RUN/DAY.", default=""
    )
    default_branch: str | None = setting(
        Text(what="a branch name"), "The branch that changes are compared with.", default=None
    )
    exclude: tuple[str, ...] = setting(
        Texts(), "Globs of repository paths that are not looked at.", default=()
    )
    store: StoreSettings = field(default_factory=StoreSettings, metadata={"table": StoreSettings})
    model: ModelSettings = field(default_factory=ModelSettings, metadata={"table": ModelSettings})
    risk: RiskSettings = field(default_factory=RiskSettings, metadata={"table": RiskSettings})
    sources: Mapping[str, Source] = field(default_factory=dict, compare=False)

    def source(self, name: str) -> Source:
        """Return where the value of the dotted ``name`` came from."""
        return self.sources.get(name, Source("default"))

    def value(self, name: str) -> object:
        """Return the value of the dotted ``name``."""
        found: object = self
        for part in name.split("."):
            found = getattr(found, part)
        return found


def tables(owner: type = Settings) -> dict[str, type]:
    """Return the tables declared in ``owner``, by name."""
    return {
        item.name: cast("type", item.metadata["table"])
        for item in fields(owner)
        if "table" in item.metadata
    }


def keys(owner: type = Settings, prefix: str = "") -> Iterator[Key]:
    """Yield every key that ``owner`` declares, those of its tables under dotted names."""
    for item in fields(owner):
        if "kind" in item.metadata:
            doc = item.metadata["doc"]
            yield Key(prefix + item.name, item.metadata["kind"], item.default, doc)
        elif "table" in item.metadata:
            yield from keys(item.metadata["table"], f"{prefix}{item.name}.")


def build(values: Mapping[str, object], sources: Mapping[str, Source]) -> Settings:
    """Return the settings that ``values`` (by dotted name) make; the rest are defaults."""
    made = _build(Settings, values, "")
    made["sources"] = dict(sources)
    return Settings(**made)


def _build(owner: type, values: Mapping[str, object], prefix: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        item.name: values[prefix + item.name]
        for item in fields(owner)
        if prefix + item.name in values
    }
    for name, inner in tables(owner).items():
        made[name] = inner(**_build(inner, values, f"{prefix}{name}."))
    return made


def as_markdown() -> str:
    """Return the table of all settings for the documentation."""
    rows = ["| key | value | default | environment | meaning |", "|---|---|---|---|---|"]
    for key in keys():
        default = "" if key.default is None else f"`{key.default!r}`"
        label = key.kind.label.replace("|", "\\|")
        rows.append(f"| `{key.name}` | {label} | {default} | `{key.environment}` | {key.doc} |")
    return "\n".join(rows) + "\n"
