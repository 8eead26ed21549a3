"""The environment of a stage, in the order in which BuildKit keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aipipe_build.light import field, light

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@light(frozen=True)
class Environment(Mapping[str, str]):
    """Names and values; setting a name again moves it to the end, and so the order counts."""

    values_by_name: Mapping[str, str] = field(default_factory=dict)

    def set(self, name: str, value: str) -> Environment:
        """Return a copy with ``name`` set last."""
        values = {key: old for key, old in self.values_by_name.items() if key != name}
        values[name] = value
        return Environment(values)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return what a RUN's key holds."""
        return tuple(self.values_by_name.items())

    def __getitem__(self, name: str) -> str:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)
