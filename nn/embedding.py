"""Embedding: a table of vectors, looked up by index."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor, no_grad

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """y = weight[x]: indices of any shape (*) give vectors (*, embedding_dim).

    `weight` (num_embeddings, embedding_dim) starts as N(0, 1). The row `padding_idx` starts at zero
    and gets no gradient; `max_norm` scales longer rows down to this norm of order `norm_type` when
    they are used; `scale_grad_by_freq` divides a row's gradient by how often it was used. Gradients
    are never `sparse`. IndexError for an index outside the table.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = self._check_padding_idx(padding_idx)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            table = autograd.empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def _check_padding_idx(self, index: int | None) -> int | None:
        if index is None:
            return None
        if not -self.num_embeddings <= index < self.num_embeddings:
            raise AssertionError(
                f"Padding_idx must be within num_embeddings: got {index} for {self.num_embeddings} "
                "embeddings"
            )
        return index % self.num_embeddings

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding whose table is `embeddings` (2-D), not trained unless `freeze` is False."""
        if embeddings.dim() != 2:
            raise AssertionError(
                f"Embeddings parameter is expected to be 2-dimensional, got {embeddings.dim()}-D"
            )
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        """Look the vectors up."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        """The settings, those at their defaults left out."""
        defaults = {
            "padding_idx": None,
            "max_norm": None,
            "norm_type": 2.0,
            "scale_grad_by_freq": False,
            "sparse": False,
        }
        settings = [str(self.num_embeddings), str(self.embedding_dim)]
        for name, default in defaults.items():
            value = getattr(self, name)
            if value != default:
                settings.append(f"{name}={value}")
        return ", ".join(settings)
