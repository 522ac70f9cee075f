"""The libraries that PyTorch computes with. None of them is here; scripts that ask get a true
answer, and switches that choose between them may be set, and change nothing."""

from types import SimpleNamespace

from autograd.backends import cudnn as cudnn
from autograd.backends import mps as mps

cuda = SimpleNamespace(is_built=lambda: False, matmul=SimpleNamespace(allow_tf32=False))
mkl = mkldnn = openmp = SimpleNamespace(is_available=lambda: False)
