"""Signal processing, under the names of ``torch.signal``: windows."""

from autograd.signal import windows

__all__ = ["windows"]
