"""A stage while its instructions are read: environment, folder, user, the last vertex."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aipipe_build.keys.environment import Environment
from aipipe_build.light import field, light

if TYPE_CHECKING:
    from aipipe_build.dockerfile.model import Instruction
    from aipipe_build.keys.model import Vertex
    from aipipe_build.keys.platform import Platform
    from aipipe_build.keys.stages import StageNode


@light()
class StageState:
    """What an instruction finds and what it leaves to the next."""

    node: StageNode
    platform: Platform
    vertex: Vertex | None = None
    env: Environment = field(default_factory=Environment)
    working_dir: str = ""
    user: str = ""
    shell: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    ignore_cache: bool = False
    local_root: str | None = None
    """The local named context that the stage stands on, if it stands on one."""

    def child(self, node: StageNode, platform: Platform) -> StageState:
        """Return the state that a stage built on this one begins with."""
        # ARG values end with their stage; only what is in the image's configuration goes on.
        return StageState(
            node=node,
            platform=platform,
            vertex=self.vertex,
            env=self.env,
            working_dir=self.working_dir,
            user=self.user,
            shell=self.shell,
            triggers=self.triggers,
            config=dict(self.config),
        )

    @property
    def directory(self) -> str:
        """The folder that relative paths start from."""
        return self.working_dir or "/"

    def note(self, instruction: Instruction, value: Any) -> None:
        """Put what only the image's configuration shows into it."""
        self.config[instruction.keyword] = value

    def config_digest(self, labels: dict[str, str]) -> str:
        """Return a digest of the image's configuration, build time and history left out."""
        parts = {
            **self.config,
            "env": self.config.get("ENV_LIST", []),
            "dir": self.working_dir,
            "user": self.user,
            "shell": self.shell,
            "triggers": self.triggers,
            "platform": str(self.platform),
            "labels": {**self.config.get("LABEL", {}), **labels},
        }
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
