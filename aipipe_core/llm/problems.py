"""What can go wrong with a model, each with a slug; what the package raises, told as ours."""

from __future__ import annotations

from typing import Any

from aipipe_core.errors import SurroundingsError


class ModelError(SurroundingsError):
    """A call that gave no usable answer.

    ``lasting`` is set where the next call would fail as well (a wrong key, a spent cap).
    """

    def __init__(
        self, slug: str, what: str, *, where: str = "", hint: str = "", lasting: bool = False
    ) -> None:
        super().__init__(slug, what, where=where, hint=hint)
        self.lasting = lasting


def not_installed() -> ModelError:
    """The extra is missing."""
    return ModelError(
        "model-not-installed",
        "The openai package is not installed",
        hint="Install it: pip install 'pytest-aipipe[llm]'.",
        lasting=True,
    )


def no_key(variable: str) -> ModelError:
    """No key, and no server of one's own."""
    return ModelError(
        "model-no-key",
        f"{variable} is not set",
        hint="Set it, or OPENAI_BASE_URL for a server that asks for no key.",
        lasting=True,
    )


def told(error: BaseException, where: str) -> ModelError:
    """Return what the openai package raised as an error of ours."""
    import openai

    if isinstance(error, ModelError):
        return error
    if isinstance(error, openai.APITimeoutError):
        return ModelError(
            "model-timeout",
            "The model's server did not answer in time",
            where=where,
            hint="Raise model.timeout, or use a faster model.",
        )
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, where)
    if isinstance(error, openai.APIResponseValidationError) or "JSON" in type(error).__name__:
        return garbled(where, str(error))
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        if _is_cut(cause):
            return cut(where)
        return ModelError(
            "model-unreachable",
            f"The model's server cannot be reached: {_short(cause)}",
            where=where,
            hint="Check the address and that it runs.",
            lasting=True,
        )
    if _is_cut(error):
        return cut(where)
    if isinstance(error, openai.OpenAIError) and "api_key" in str(error):
        return no_key("OPENAI_API_KEY")
    return ModelError(
        "model-failed", f"The model's server failed: {_short(error)}", where=where,
        hint="Try again; the run goes on without the answer.",
    )  # fmt: skip


def _of_status(error: Any, where: str) -> ModelError:
    status, said = int(error.status_code), _short(error)
    if status in (401, 403):
        return ModelError(
            "model-key-refused",
            f"The model's server refused the key ({status})",
            where=where,
            hint="Check OPENAI_API_KEY and what it may use.",
            lasting=True,
        )
    if status == 404:  # noqa: PLR2004 - HTTP
        return ModelError(
            "model-unknown",
            f"The server knows no such model or address: {said}",
            where=where,
            hint="Set model.large, model.small and the base URL.",
            lasting=True,
        )
    if status == 429:  # noqa: PLR2004 - HTTP
        spent = getattr(error, "code", None) == "insufficient_quota"
        return ModelError(
            "model-quota-spent" if spent else "model-rate-limited",
            f"The model's server asks for {'payment' if spent else 'patience'} (429): {said}",
            where=where,
            hint="Wait, or lower model.parallel." if not spent else "See to the account.",
            lasting=spent,
        )
    if status >= 500:  # noqa: PLR2004 - HTTP
        return ModelError(
            "model-server-error", f"The model's server failed ({status}): {said}", where=where,
            hint="Try again later; the run goes on without the answer.",
        )  # fmt: skip
    return ModelError(
        "model-request-refused", f"The model's server refused the request ({status}): {said}",
        where=where, hint="Check model.api, model.structured and the model's name.",
    )  # fmt: skip


def cut(where: str) -> ModelError:
    """The answer broke off."""
    return ModelError(
        "model-cut", "The model's answer broke off before its end", where=where,
        hint="Try again; the run goes on without it.",
    )  # fmt: skip


def garbled(where: str, why: str) -> ModelError:
    """What came is not what was asked for."""
    return ModelError(
        "model-not-json",
        f"The model's answer is not the JSON that was asked for: {why[:200]}",
        where=where,
        hint="Use a model that keeps to a schema, or set model.structured.",
    )


def refused(where: str, said: str) -> ModelError:
    """The model would not."""
    return ModelError(
        "model-refused", f"The model refused: {' '.join(said.split())[:200] or 'no reason'}",
        where=where, hint="The run goes on without the answer.",
    )  # fmt: skip


def too_long(where: str, most: int) -> ModelError:
    """The answer did not end within its bound."""
    return ModelError(
        "model-too-long", f"The model's answer is longer than the {most} tokens it may have",
        where=where, hint="The run goes on without it.",
    )  # fmt: skip


def empty(where: str) -> ModelError:
    """Nothing came."""
    return ModelError(
        "model-empty", "The model answered with nothing", where=where,
        hint="A reasoning model may need more room; the run goes on without the answer.",
    )  # fmt: skip


def _is_cut(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"RemoteProtocolError", "ReadError", "IncompleteRead", "StreamClosed"})


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return (text or type(error).__name__)[:200]
