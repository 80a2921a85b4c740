"""Figures of the past, kept in this process under keys that name the company's latest load: they change only with a load."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

Result = TypeVar("Result")

MOST = 512
_store: OrderedDict[Hashable, object] = OrderedDict()


def kept(key: Hashable, read: Callable[[], Result]) -> Result:
    """What `read` gave under this key, reading it at most once per process while it is among the last ones used.

    Threads may read the same key twice at once; both get the same answer.
    """
    try:
        _store.move_to_end(key)
        return _store[key]
    except KeyError:
        value = _store[key] = read()
        while len(_store) > MOST:
            _store.popitem(last=False)
        return value
