"""The model client: any OpenAI-compatible server, asked carefully and never relied upon."""

from aipipe_core.llm.client import Client
from aipipe_core.llm.ledger import Ledger, summary_of
from aipipe_core.llm.model import Answer, Ask, Message, Usage
from aipipe_core.llm.problems import ModelError
from aipipe_core.llm.prompt import prompt, untrusted
from aipipe_core.llm.setup import Setup, is_configured, setup_from
from aipipe_core.llm.start import client_from

__all__ = [
    "Answer",
    "Ask",
    "Client",
    "Ledger",
    "Message",
    "ModelError",
    "Setup",
    "Usage",
    "client_from",
    "is_configured",
    "prompt",
    "setup_from",
    "summary_of",
    "untrusted",
]
