"""From settings and environment to an endpoint and two tiers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aipipe_core.llm.model import TIERS, Shape
from aipipe_core.llm.prices import FREE, Price, known_price, parse_price
from aipipe_core.llm.problems import no_key, not_installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipipe_core.config import Settings
    from aipipe_core.llm.model import Connect

OPENAI = "https://api.openai.com/v1"
UNUSED_KEY = "unused"  # the package wants one, a server of one's own does not


@dataclass(frozen=True, slots=True)
class Tier:
    """A model for a kind of work. ``price`` is None where nobody knows it."""

    name: str
    model: str
    context: int
    price: Price | None


@dataclass(frozen=True, slots=True)
class Setup:
    """Where the model is, and how it is asked. ``key`` never shows in a text of ours."""

    provider: str  # "openai" or "azure"
    address: str
    api: str  # "chat" or "responses"
    tiers: Mapping[str, Tier]
    shape: Shape
    timeout: float
    retries: int
    key: str = field(default="", repr=False)
    key_variable: str = "OPENAI_API_KEY"
    api_version: str = ""

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.address).netloc.rpartition("@")[2] or self.address

    @property
    def is_near(self) -> bool:
        """Whether the server is on this machine or in a private network."""
        return _is_near(self.address)

    def problem(self) -> Exception | None:
        """Return why no call can be made at all, or None."""
        from importlib.util import find_spec

        if find_spec("openai") is None:
            return not_installed()
        return None if self.key else no_key(self.key_variable)

    def connect(self) -> Connect:
        """Return what makes a client for one call; raises ``ModelError`` where none can be."""
        problem = self.problem()
        if problem is not None:
            raise problem
        return partial(_client, self)


def _client(setup: Setup, timeout: float, retries: int) -> Any:
    import openai

    if setup.provider == "azure":
        return openai.AzureOpenAI(
            azure_endpoint=setup.address,
            api_key=setup.key,
            api_version=setup.api_version,
            timeout=timeout,
            max_retries=retries,
        )
    return openai.OpenAI(
        base_url=setup.address, api_key=setup.key, timeout=timeout, max_retries=retries
    )


def setup_from(settings: Settings, environ: Mapping[str, str]) -> Setup:
    """Return the setup; raises ``RequestError`` for a price that is none."""
    model = settings.model
    endpoint = environ.get("AZURE_OPENAI_ENDPOINT", "")
    azure = model.provider == "azure" or (
        model.provider == "auto" and bool(endpoint) and not model.base_url
        and not environ.get("OPENAI_BASE_URL")
    )  # fmt: skip
    base = model.base_url or ("" if azure else environ.get("OPENAI_BASE_URL", ""))
    variable = model.key_variable or ("AZURE_OPENAI_API_KEY" if azure else "OPENAI_API_KEY")
    address = (model.base_url or endpoint) if azure else (base or OPENAI)
    key = environ.get(variable, "").strip()
    if not key and not azure and base:
        key = UNUSED_KEY
    api = model.api
    if api == "auto":
        api = "chat" if azure or base else "responses"
    own = "api.openai.com" in address or azure
    return Setup(
        provider="azure" if azure else "openai",
        address=address,
        api=api,
        tiers={name: _tier(name, settings, near=_is_near(address)) for name in TIERS},
        shape=Shape(
            structured="schema" if model.structured == "auto" else model.structured,
            limit="max_completion_tokens" if own else "max_tokens",
            stream=model.stream,
        ),
        timeout=model.timeout,
        retries=model.retries,
        key=key,
        key_variable=variable,
        api_version=model.azure_api_version or environ.get("OPENAI_API_VERSION", "2024-10-21"),
    )


def is_configured(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether somebody has set a model up: a key, an address, a recording."""
    named = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY")
    model = settings.model
    return (
        any(environ.get(name) for name in named)
        or bool(model.key_variable and environ.get(model.key_variable))
        or bool(model.base_url or model.replay or model.preview)
    )


def _tier(name: str, settings: Settings, *, near: bool) -> Tier:
    model = settings.model
    called, said, context = {
        "large": (model.large, model.large_price, model.large_context),
        "small": (model.small, model.small_price, model.small_context),
    }[name]
    price = parse_price(said, f"model.{name}_price") if said else known_price(called)
    # A server of one's own takes no money, whatever its model is called.
    if near and not said:
        price = FREE
    return Tier(name, called, context, price)


def _is_near(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".internal")) or "." not in host
