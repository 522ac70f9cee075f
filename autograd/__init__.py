"""Gradbook: reverse-mode automatic differentiation on NumPy, with PyTorch's names.

import autograd as torch
"""

from __future__ import annotations

import importlib as _importlib
import sys as _sys
import warnings as _warnings
from typing import Any as _Any

from autograd import cuda, graph, linalg, return_types
from autograd.creation import *
from autograd.device import device
from autograd.differentiation import backward, grad
from autograd.dtypes import (
    bool,
    can_cast,
    double,
    dtype,
    finfo,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from autograd.formatting import get_printoptions, set_printoptions
from autograd.from_data import as_tensor, asarray, from_dlpack, from_numpy, tensor
from autograd.function import Function
from autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    is_multithreading_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from autograd.gradcheck import gradcheck, gradgradcheck
from autograd.legacy import *
from autograd.memory_order import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from autograd.ops import *
from autograd.queries import *
from autograd.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from autograd.tensor import Size, Tensor

from autograd import methods as _methods, random_fill as _random_fill  # isort: skip  (give Tensor its methods)
from autograd import out as _out

globals().update({_name: getattr(Tensor, _name) for _name in _methods.IN_PLACE_FUNCTIONS.split()})
globals().update({_name: _out.takes_out(globals()[_name]) for _name in _out.NAMES.split()})

__version__ = "0.1.0"

# inf and nan are values here, as in PyTorch. This silences NumPy's floating-point warnings where
# this package computes, and nowhere else: a filter costs nothing while nothing is amiss,
# np.errstate half a microsecond an operation.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"autograd(\.|$)")

# What takes a while to import, or imports us, is imported when it is asked for.
_LAZY = {
    "accelerator": "autograd.accelerator",
    "anomaly_mode": "autograd.anomaly_mode",
    "backends": "autograd.backends",
    "checkpoint": "autograd.checkpoint",
    "forward_ad": "autograd.forward_ad",
    "func": "autograd.func",
    "functional": "autograd.functional",
    "nn": "nn",
    "profiler": "autograd.profiler",
    "optim": "nn.optim",
    "signal": "autograd.signal",
    "special": "autograd.special",
    "utils": "autograd.utils",
    "visualize": "autograd.visualize",
}
_LAZY_FROM = {
    "are_deterministic_algorithms_enabled": "autograd.settings",
    "bartlett_window": "autograd.signal.periodic",
    "blackman_window": "autograd.signal.periodic",
    "compile": "autograd.settings",
    "derivatives": "autograd.calculus",
    "detect_anomaly": "autograd.anomaly_mode",
    "explain": "autograd.explanation",
    "get_default_device": "autograd.settings",
    "get_float32_matmul_precision": "autograd.settings",
    "get_num_threads": "autograd.settings",
    "gradcheck_at": "autograd.differences",
    "hamming_window": "autograd.signal.periodic",
    "hann_window": "autograd.signal.periodic",
    "is_anomaly_check_nan_enabled": "autograd.anomaly_mode",
    "is_anomaly_enabled": "autograd.anomaly_mode",
    "kaiser_window": "autograd.signal.periodic",
    "load": "autograd.serialization",
    "pca_lowrank": "autograd.lowrank",
    "profile": "autograd.profiler",
    "save": "autograd.serialization",
    "set_anomaly_enabled": "autograd.anomaly_mode",
    "set_default_device": "autograd.settings",
    "set_detect_anomaly": "autograd.anomaly_mode",
    "set_float32_matmul_precision": "autograd.settings",
    "set_num_threads": "autograd.settings",
    "svd_lowrank": "autograd.lowrank",
    "use_deterministic_algorithms": "autograd.settings",
    "vmap": "autograd.batching",
}


def __getattr__(name: str) -> _Any:
    """What is imported when asked for; ``torch.autograd`` is us."""
    if name == "autograd":
        return _sys.modules[__name__]
    if name in _LAZY:
        return _importlib.import_module(_LAZY[name])
    if name in _LAZY_FROM:
        return getattr(_importlib.import_module(_LAZY_FROM[name]), name)
    raise AttributeError(f"module 'autograd' has no attribute '{name}'")
