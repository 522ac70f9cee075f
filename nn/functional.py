"""Temporary, until the last chapters of autograd.ops are in."""

from autograd import ops


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    if hasattr(ops, name):
        return getattr(ops, name)

    def missing(*args, **kwargs):
        raise AttributeError(f"autograd.ops has no {name} yet")

    return missing
