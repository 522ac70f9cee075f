"""The book: every operation, one chapter a file."""

from autograd.ops.arithmetic import *
from autograd.ops.conversion import *
from autograd.ops.conversion import METHODS as CONVERSIONS
from autograd.ops.comparison import *
from autograd.ops.powers import *
from autograd.ops.elementary import *
from autograd.ops.gamma import *
from autograd.ops.shape import *
from autograd.ops.shape import TRANSPOSES
from autograd.ops.broadcasting import *
from autograd.ops.parts import *
from autograd.ops.strided import *
from autograd.ops.joining import *
from autograd.ops.copies import *
from autograd.ops.indexing import *
from autograd.ops.gathering import *
from autograd.ops.cumulative import *
from autograd.ops.reduction import *
from autograd.ops.sampled import *
from autograd.ops.ordering import *
from autograd.ops.counting import *
from autograd.ops.written import *
from autograd.ops.complex_plane import *
from autograd.ops.linear_algebra import *
from autograd.ops.blocks import *
from autograd.ops.einsum import *
from autograd.ops.inverses import *
from autograd.ops.factorizations import *
from autograd.ops.reflections import *
from autograd.ops.spectra import *
from autograd.ops.norms import *
from autograd.ops.statistics import *
from autograd.ops.activation import *
from autograd.ops.softmax import *
from autograd.ops.dropout import *
from autograd.ops.loss import *
from autograd.ops.likelihood import *
from autograd.ops.distance import *
from autograd.ops.margin import *
from autograd.ops.normalization import *
from autograd.ops.convolution import *
from autograd.ops.pooling import *
from autograd.ops.shuffling import *

# The operations, but not the chapters they stand in, whose names would hide `torch.strided`, say.
__all__ = [name for name, value in list(vars().items()) if callable(value) and name[0] != "_"]
