"""Who notices a method that is new, gone, or called differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.select import parts
from pytest_aipipe.select.bases import PLAIN, lets_be
from pytest_aipipe.select.demand import Clause
from pytest_aipipe.select.lookups import add_looked_through, looking

if TYPE_CHECKING:
    from pytest_aipipe.select.index import Class, Key
    from pytest_aipipe.select.parts import Points
    from pytest_aipipe.select.spread import Spread


def add_method(spread: Spread, key: Key, klass: str, method: str) -> None:
    """Ask for who may notice that a class of a file has another ``method``, one more or one less.

    Who called it as it was has entered it, which is asked for elsewhere. A call that
    its signature refused is told by the test that expects it, and a method that is new
    was resolved elsewhere before: whoever names it and has to do with the class. A test, which
    nobody calls but the runner, is looked up by no code but what stands below it.
    """
    path, one = key[0], (key[0], klass)
    if spread.is_done(path, f"{klass}.{method}"):
        return
    index = spread.index
    is_new = method not in index.of(key, index.source(key)).methods.get(klass, {})
    why = f"uses {klass}.{method} of {path}, which changed"
    if is_new and _may_be_called_unnamed(spread, one, method):
        spread.ask(path, {klass}, f"uses {klass} of {path}, which changed", wider=False)
        return
    homes = {where for where, _ in index.below(one)}
    is_test = method.startswith("test") and not homes.isdisjoint(spread.tests)
    if is_test:  # one of that name may have been inherited
        spread.demand.parts |= {(where, method): why for where in homes}
    ours, foreign = index.bases(one)
    alone = is_new and not ours and foreign <= PLAIN and index.below(one) == {one}
    found = _naming(spread, one, method, why, is_new=is_new, alone=alone)
    if is_new:
        below = path.rpartition("/")[0] if is_test else ""
        for where, points in looking(spread, method, below, method=True).items():
            found[where] = parts.joined(found.get(where) or parts.NOWHERE, points or parts.NOWHERE)
        add_looked_through(spread, one, why)
    if found:
        spread.demand.clauses.append(Clause(why, [found, index.using(one)]))


def _may_be_called_unnamed(spread: Spread, one: Class, method: str) -> bool:
    """Whether what has a say in the class, or one below it, may see a new method of that name."""
    index = spread.index
    return any(
        index.is_shaped(klass, method)
        or not all(lets_be(base, method) for base in index.bases(klass)[1])
        for klass in index.below(one)
    )


def _naming(
    spread: Spread, one: Class, method: str, why: str, *, is_new: bool, alone: bool
) -> dict[Key, Points | None]:
    """Return where the method is named; what is made of it at import is asked for.

    ``alone`` says that nothing else can have a method of that name in its place.
    """
    found: dict[Key, Points | None] = {}
    called = {name for _, name in spread.index.below(one)}
    for key, there in spread.index.mentioning(method):
        numbers = {
            line
            for way, lines in there.lines.get(method, {}).items()
            if way.kind == "text"
            or (way.kind == "attribute" and not alone and (is_new or key[0] in spread.tests))
            for line in lines
        }
        if numbers:
            found[key] = parts.lines(numbers)
        for binder in there.binders if not alone and spread.can_load(key[0], one[0]) else ():
            ways = binder.mentions.get(method, ())
            if any(w.kind == "attribute" and w.base.rpartition(".")[2] in called for w in ways):
                spread.bound(key, there, binder, why)
    return found
