"""The book: every operation, one chapter a file."""

from autograd.ops.arithmetic import *
