"""Transformer over the instances of a patient, pooled by attention to one score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.models.deep.multi_instance.bags import Bags

POOLINGS = ("attention", "gated_attention", "cls")
FREQUENCIES = 4


@dataclass(frozen=True)
class TransformerSettings:
    """Sizes of the network.

    The study that this follows (Chen et al. 2025) does not say how deep and wide its Transformer
    is, how many heads it has or how it pools: all defaults are ours, small because bags of about
    two hundred patients are all there is to learn from.

    Parameters
    ----------
    width
        Numbers by which an instance is described inside the network; a multiple of ``heads``.
    depth
        Transformer layers; 0 leaves pooling by attention alone, without talk between instances.
    heads
        Attention heads of a layer.
    feedforward
        Width of the perceptron of a layer, as a multiple of ``width``.
    dropout
        Share dropped in training, 0 to below 1.
    pooling
        ``"attention"`` or ``"gated_attention"`` (Ilse et al. 2018), or ``"cls"``: a token of its
        own that attends to all instances.
    position
        Tell the network where in its sequence a slice lies. Without, the order of slices means
        nothing.

    Raises
    ------
    DataError
        A size is not possible.
    UnknownNameError
        There is no such pooling.
    """

    width: int = 64
    depth: int = 2
    heads: int = 4
    feedforward: int = 2
    dropout: float = 0.1
    pooling: str = "attention"
    position: bool = False

    def __post_init__(self) -> None:
        """Refuse sizes that no network can have."""
        if min(self.width, self.heads, self.feedforward) < 1 or self.depth < 0:
            raise DataError(
                "expected width, heads and feedforward of at least 1 and a depth of at least 0; "
                f"found {self.width}, {self.heads}, {self.feedforward} and {self.depth}. Mend them."
            )
        if self.width % self.heads:
            raise DataError(
                f"expected a width that {self.heads} heads can share; found {self.width}. "
                f"Use a multiple of {self.heads}."
            )
        if not 0 <= self.dropout < 1:
            raise DataError(
                f"dropout: expected a share of 0 to below 1; found {self.dropout}. Mend it."
            )
        if self.pooling not in POOLINGS:
            raise UnknownNameError("pooling", self.pooling, POOLINGS)
        if self.pooling == "cls" and self.depth == 0:
            raise DataError(
                "expected a depth of at least 1 with pooling by 'cls', whose token sees the "
                "instances in the layers; found 0. Add a layer, or pool by attention."
            )


class BagTensors(NamedTuple):
    """Bags as the network reads them.

    Attributes
    ----------
    features
        float32, shape (n, instances, width).
    real
        bool, shape (n, instances).
    sequence
        int64, shape (n, instances).
    depth
        float32, shape (n, instances): relative place of a slice in its sequence.
    """

    features: Tensor
    real: Tensor
    sequence: Tensor
    depth: Tensor

    def at(self, rows: Tensor, device: torch.device) -> BagTensors:
        """Return some patients, on a device, without the places that are padding in all."""
        size = int(self.real[rows].any(dim=0).nonzero().max()) + 1
        return BagTensors(*(part[rows, :size].to(device) for part in self))


def bag_tensors(bags: Bags) -> BagTensors:
    """Copy bags into tensors."""
    return BagTensors(
        torch.tensor(bags.features),
        torch.tensor(bags.real),
        torch.tensor(bags.sequence, dtype=torch.int64),
        torch.tensor(bags.depth()),
    )


class BagOutput(NamedTuple):
    """What the network says of each patient.

    Attributes
    ----------
    logit
        Log-odds of the second class, shape (n,).
    attention
        Weight of each instance, shape (n, instances): sums to 1, 0 in padding.
    embedding
        The patient as the head sees it, shape (n, width).
    """

    logit: Tensor
    attention: Tensor
    embedding: Tensor


class AttentionPooling(nn.Module):
    r"""Mean of instances, weighted by what they are.

    :math:`z = \sum_k a_k h_k` with :math:`a_k = \operatorname{softmax}_k w^\top \tanh(V h_k)`;
    gated, :math:`\tanh(V h_k)` is multiplied by :math:`\operatorname{sigm}(U h_k)`. The softmax
    runs over real instances only. A large weight says that an instance counts, not in which
    direction.

    Parameters
    ----------
    width
        Size of :math:`h_k` and rows of :math:`V` and :math:`U`.
    gated
        Use the gate.

    References
    ----------
    Ilse, Tomczak and Welling, Proc 35th Int Conf Mach Learn 2018;80:2127.
    """

    def __init__(self, width: int, *, gated: bool = False) -> None:
        super().__init__()
        self.view = nn.Linear(width, width)
        self.gate = nn.Linear(width, width) if gated else None
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, hidden: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled (n, width) and the weights (n, instances)."""
        seen = torch.tanh(self.view(hidden))
        if self.gate is not None:
            seen = seen * torch.sigmoid(self.gate(hidden))
        scores = self.score(seen).squeeze(-1).masked_fill(~real, -math.inf)
        weights = torch.softmax(scores, dim=1)
        return (weights.unsqueeze(1) @ hidden).squeeze(1), weights


class EncoderLayer(nn.Module):
    """Transformer layer with normalisation first, whose attention can be read.

    Parameters
    ----------
    settings
        Width, heads, feedforward and dropout.

    References
    ----------
    Vaswani et al., Adv Neural Inf Process Syst 2017;30:5998. Xiong et al., Proc 37th Int Conf Mach
    Learn 2020;119:10524 (normalisation first).
    """

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        width, inner = settings.width, settings.width * settings.feedforward
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = nn.MultiheadAttention(
            width, settings.heads, dropout=settings.dropout, batch_first=True
        )
        self.linear1, self.linear2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, hidden: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return instances (n, k, width) and the heads' mean attention (n, k, k)."""
        normed = self.norm1(hidden)
        told, attention = self.self_attn(normed, normed, normed, key_padding_mask=~real)
        hidden = hidden + self.dropout(told)
        inner = self.dropout(nn.functional.gelu(self.linear1(self.norm2(hidden))))
        return hidden + self.dropout(self.linear2(inner)), attention


class MultiInstanceTransformer(nn.Module):
    r"""Instances of a patient → one log-odds.

    Each instance is standardised by the means and deviations of the training part, projected to
    ``width``, and told its sequence (a learnt vector is added) and, if asked, its relative place
    in it (sines and cosines of :math:`2^j \pi d`, projected). Transformer layers let the instances
    of one patient inform each other, across sequences; pooling makes one description of the
    patient, and a linear head its score. Padding is attended to nowhere, so it changes nothing.

    Parameters
    ----------
    settings
        Sizes.
    n_features
        Width of an instance.
    n_sequences
        Sequences that an instance may be of.

    References
    ----------
    Chen et al., J Cancer 2025;16:2663 (slices of several MRI sequences, ResNet50 features, a
    Transformer that aggregates them). The sizes are ours.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, settings: TransformerSettings, *, n_features: int, n_sequences: int) -> None:
        super().__init__()
        width = settings.width
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.projection = nn.Linear(n_features, width)
        self.of_sequence = nn.Embedding(n_sequences, width)
        self.of_place = nn.Linear(2 * FREQUENCIES, width) if settings.position else None
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(settings.depth))
        self.norm = nn.LayerNorm(width)
        self.token: nn.Parameter | None = None
        self.pooling: AttentionPooling | None = None
        if settings.pooling == "cls":
            self.token = nn.Parameter(torch.randn(width) * 0.02)
        else:
            self.pooling = AttentionPooling(width, gated=settings.pooling == "gated_attention")
        self.head = nn.Linear(width, 1)

    def standardise_by(self, bags: BagTensors) -> None:
        """Take means and deviations of the real instances; a constant feature keeps its size."""
        instances = bags.features[bags.real].double()
        scale, mean = torch.std_mean(instances, dim=0, correction=0)
        # A constant feature's deviation is not exactly 0 where its mean is rounded.
        constant = scale <= 1e-6 * mean.abs()
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(constant, torch.ones_like(scale), scale))

    def forward(self, bags: BagTensors) -> BagOutput:
        """Score patients."""
        real = bags.real
        standard = ((bags.features - self.mean) / self.scale).masked_fill(~real.unsqueeze(-1), 0.0)
        hidden = self.projection(standard) + self.of_sequence(bags.sequence)
        if self.of_place is not None:
            hidden = hidden + self.of_place(_waves(bags.depth).to(hidden.dtype))
        hidden = self.dropout(hidden)
        if self.token is not None:
            first = self.token.expand(len(hidden), 1, -1)
            hidden = torch.cat([first, hidden], dim=1)
            real = torch.cat([real.new_ones(len(real), 1), real], dim=1)
        attention = real.to(hidden.dtype)
        for layer in self.layers:
            hidden, among = layer(hidden, real)
            attention = among[:, 0]
        hidden = self.norm(hidden)
        if self.pooling is not None:
            embedding, attention = self.pooling(hidden, real)
        else:
            # What the token keeps for itself is shared out, so that the instances' sum is 1.
            embedding, attention = hidden[:, 0], attention[:, 1:]
            attention = attention / attention.sum(dim=1, keepdim=True)
        return BagOutput(self.head(embedding).squeeze(-1), attention, embedding)


def _waves(depth: Tensor) -> Tensor:
    angles = depth.unsqueeze(-1) * math.pi * 2.0 ** torch.arange(FREQUENCIES, device=depth.device)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
