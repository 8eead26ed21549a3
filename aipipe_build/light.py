"""Classes of named fields, as ``dataclasses`` makes them, for what every decision loads.

A decision is a process of its own, started at every commit and expected within a tenth of a
second. There ``dataclasses`` took a fifth of the time: it loads ``inspect`` and compiles each
method of each class anew. Here all classes share methods that read the fields when called,
which suits a few hundred objects; where there are more, or nobody waits, use ``dataclasses``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_NAMES = "__light_names__"
_COMPARED = "__light_compared__"
_FACTORIES = "__light_factories__"


class _Field:
    """What a field's line says beyond its name and type."""

    __slots__ = ("compare", "default", "default_factory")

    def __init__(
        self, default: Any, default_factory: Callable[[], Any] | None, *, compare: bool
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.compare = compare


def field(
    *, default: Any = None, default_factory: Callable[[], Any] | None = None, compare: bool = True
) -> Any:
    """Describe a field that has a default: a value, or one that is made for each object."""
    return _Field(default, default_factory, compare=compare)


@dataclass_transform(field_specifiers=(field,))
def light(*, frozen: bool = False, eq: bool = True) -> Callable[[type[_T]], type[_T]]:
    """Give a class its fields: the annotated names of its body, in order.

    ``frozen`` forbids to set them later and, with ``eq``, makes objects hashable. ``eq``
    compares the fields of objects of one class; without it an object equals itself alone.
    """

    def make(cls: type[_T]) -> type[_T]:
        names = tuple(cls.__annotations__)
        described = {name: cls.__dict__.get(name) for name in names}
        fields = {name: one for name, one in described.items() if isinstance(one, _Field)}
        factories: dict[str, Callable[[], Any]] = {}
        for name, one in fields.items():
            if one.default_factory is None:
                setattr(cls, name, one.default)
            else:
                delattr(cls, name)
                factories[name] = one.default_factory
        compared = [name for name in names if name not in fields or fields[name].compare]
        methods: dict[str, Any] = {"__init__": _init, "__repr__": _repr}
        if eq:
            methods |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        methods |= {_NAMES: names, _COMPARED: tuple(compared), _FACTORIES: factories}
        for name, method in methods.items():
            setattr(cls, name, method)
        return cls

    return make


def replace(one: _T, **changes: Any) -> _T:
    """Return a copy with other values for some fields."""
    return type(one)(**{**vars(one), **changes})


def as_dict(one: object) -> dict[str, Any]:
    """Return names and values, those of light objects inside in the same way."""
    return {name: _plain(value) for name, value in vars(one).items()}


def _plain(value: Any) -> Any:
    if hasattr(type(value), _NAMES):
        return as_dict(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


def _init(self: Any, *values: Any, **named: Any) -> None:
    cls = type(self)
    names: tuple[str, ...] = getattr(cls, _NAMES)
    factories = getattr(cls, _FACTORIES)
    if len(values) > len(names):
        raise TypeError(f"{cls.__name__} has {len(names)} fields, {len(values)} were given")
    fields = self.__dict__  # behind the back of a frozen class's own __setattr__
    fields.update(zip(names, values, strict=False))
    for name in names[len(values) :]:
        if name in named:
            fields[name] = named.pop(name)
        elif name in factories:
            fields[name] = factories[name]()
        else:
            try:
                fields[name] = cls.__dict__[name]
            except KeyError:
                raise TypeError(f"{cls.__name__} needs {name!r}") from None
    if named:
        raise TypeError(f"{cls.__name__} has no field to set by {', '.join(named)}")
    finish = getattr(self, "__post_init__", None)
    if finish is not None:
        finish()


def _compared(one: Any) -> tuple[Any, ...]:
    return tuple(one.__dict__[name] for name in getattr(type(one), _COMPARED))


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
    return f"{type(self).__name__}({shown})"


def _refuse(self: Any, name: str, *_: Any) -> None:
    raise AttributeError(f"{name!r} of a {type(self).__name__} cannot be changed")
