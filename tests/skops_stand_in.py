"""As much of skops.io as is needed to see whether it can write an object: for where the real one is missing.

Trees of plain types, arrays, and objects by class and state, without an end if one refers to itself; what has no state
in Python, as compiled objects, is refused. Names of classes are told, and nothing else is called when one is read.
"""

import importlib
import pickle

import numpy as np

PLAIN = (type(None), bool, int, float, complex, str, bytes, slice, np.generic, np.ndarray, np.dtype)


def dumps(obj):
    return pickle.dumps(_tree(obj, ()))


def loads(data, trusted):
    return _object(pickle.loads(data), trusted)


def get_untrusted_types(data):
    return sorted(set(_names(pickle.loads(data))))


def _tree(obj, above):
    if id(obj) in above:
        raise RecursionError(f"{type(obj).__name__} refers to itself")
    above = (*above, id(obj))
    name = f"{type(obj).__module__}.{type(obj).__qualname__}"
    if isinstance(obj, type):
        return "class", f"{obj.__module__}.{obj.__qualname__}", None
    if isinstance(obj, PLAIN):
        return "plain", "", obj
    if isinstance(obj, dict):
        return "dict", name, [(key, _tree(value, above)) for key, value in obj.items()]
    if isinstance(obj, (list, tuple)):
        return "fields" if hasattr(obj, "_fields") else "sequence", name, [_tree(each, above) for each in obj]
    obj.__reduce__()  # raises for compiled objects
    return "object", name, _tree(obj.__getstate__(), above)


def _names(tree):
    kind, name, content = tree
    if name and not name.startswith("builtins."):
        yield name
    if kind == "object":
        yield from _names(content)
    elif kind in ("dict", "sequence", "fields"):
        for each in content:
            yield from _names(each[1] if kind == "dict" else each)


def _object(tree, trusted):
    kind, name, content = tree
    if kind == "plain":
        return content
    assert name.startswith("builtins.") or name in trusted, name
    module, _, attribute = name.rpartition(".")
    cls = getattr(importlib.import_module(module), attribute)
    if kind == "class":
        return cls
    if kind == "dict":
        return cls({key: _object(value, trusted) for key, value in content})
    if kind in ("sequence", "fields"):
        items = [_object(each, trusted) for each in content]
        return cls(*items) if kind == "fields" else cls(items)
    obj, state = cls.__new__(cls), _object(content, trusted)
    if hasattr(obj, "__setstate__"):
        obj.__setstate__(state)
    else:
        obj.__dict__.update(state)
    return obj
