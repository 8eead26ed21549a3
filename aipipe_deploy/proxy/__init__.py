"""HAProxy: it owns the traffic, and lives on whatever becomes of the runner."""

from __future__ import annotations

from aipipe_deploy.proxy.proxy import Proxy, proxy_for
from aipipe_deploy.proxy.runtime import Runtime
from aipipe_deploy.proxy.slots import Slot

__all__ = ["Proxy", "Runtime", "Slot", "proxy_for"]
