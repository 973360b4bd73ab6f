"""Network 1 against a count of EfficientNet-B1 by hand."""

from __future__ import annotations

import torch

from radiogenomics.models.deep.networks.efficientnet import EfficientNetB1, EfficientNetSettings

# Table 1 of Tan and Le: (kernel, expansion, filters), blocks as B1 has them: ⌈1.1 × those of B0⌉.
B1 = [
    (3, 1, 16, 2),
    (3, 6, 24, 3),
    (5, 6, 40, 3),
    (3, 6, 80, 4),
    (5, 6, 112, 4),
    (5, 6, 192, 5),
    (3, 6, 320, 2),
]


def block_weights(taken: int, given: int, *, kernel: int, expansion: int) -> int:
    """Expand, depthwise convolution, squeeze and excite, project; two weights a normalised map."""
    inner = taken * expansion
    squeezed = taken // 4
    expand = taken * inner + 2 * inner if expansion > 1 else 0
    depthwise = inner * kernel**3 + 2 * inner
    squeeze_excite = (inner * squeezed + squeezed) + (squeezed * inner + inner)
    return expand + depthwise + squeeze_excite + inner * given + 2 * given


def test_b1_has_the_blocks_and_weights_counted_by_hand() -> None:
    with torch.device("meta"):
        network = EfficientNetB1(
            channels=3,
            shape=(128, 128, 128),
            heads={"os": 1, "pfs": 1, "age": 1, "clinical": 9},
        ).eval()
        said = network(torch.zeros(2, 3, 128, 128, 128))
    assert said.embedding.shape == (2, 1280)
    assert [len(stage) for stage in network.backbone._blocks] == [2, 3, 3, 4, 4, 5, 2]

    expected, taken = 3 * 32 * 27 + 2 * 32, 32
    for kernel, expansion, filters, blocks in B1:
        for _ in range(blocks):
            expected += block_weights(taken, filters, kernel=kernel, expansion=expansion)
            taken = filters
    expected += 320 * 1280 + 2 * 1280 + (1280 + 1) * 12
    assert sum(p.numel() for p in network.parameters()) == expected


def test_every_axis_is_divided_by_32() -> None:
    assert EfficientNetSettings().stride == 32
    with torch.device("meta"):
        network = EfficientNetB1(channels=1, shape=(32, 64, 160), heads={"os": 1}).eval()
        maps = []
        network.get_submodule(network.cam_layer).register_forward_hook(
            lambda module, taken, given: maps.append(tuple(given.shape))
        )
        network(torch.zeros(1, 1, 32, 64, 160))
    assert maps == [(1, 1280, 1, 2, 5)]
