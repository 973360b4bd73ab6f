"""Networks of torchvision and MedicalNet as plain functions of a state dict, and their names.

Written from the published architectures with torch's functions alone, so that what a backbone
computes from a foreign file can be held against what its own world computes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F

Shapes = dict[str, tuple[int, ...]]
State = dict[str, torch.Tensor]

RESNETS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
DENSENET_121 = (6, 12, 24, 16)
MBCONV_STAGES = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
"""Expansion, kernel, stride, channels in, channels out and layers of EfficientNet-B0."""


def norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for array in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{array}", (width,)
    yield f"{name}.num_batches_tracked", ()


def resnet_shapes(
    depth: int, *, dims: int = 2, channels: int = 3, shortcuts: bool = True, head: bool = True
) -> Shapes:
    found: Shapes = {"conv1.weight": (64, channels, *[7] * dims), **dict(norm("bn1", 64))}
    expansion = 4 if depth >= 50 else 1
    before = 64
    for stage, blocks in enumerate(RESNETS[depth], start=1):
        inner = 32 * 2**stage
        for block in range(blocks):
            at = f"layer{stage}.{block}"
            widths = (inner, inner, inner * 4) if expansion == 4 else (inner, inner)
            kernels = (1, 3, 1) if expansion == 4 else (3, 3)
            for n, (into, (out, size)) in enumerate(
                zip((before, *widths), zip(widths, kernels, strict=True), strict=False), start=1
            ):
                found[f"{at}.conv{n}.weight"] = (out, into, *[size] * dims)
                found |= dict(norm(f"{at}.bn{n}", out))
            if block == 0 and before != inner * expansion and shortcuts:
                found[f"{at}.downsample.0.weight"] = (inner * expansion, before, *[1] * dims)
                found |= dict(norm(f"{at}.downsample.1", inner * expansion))
            before = inner * expansion
    if head:
        found |= {"fc.weight": (1000, before), "fc.bias": (1000,)}
    return found


def densenet_shapes() -> Shapes:
    found: Shapes = {"features.conv0.weight": (64, 3, 7, 7), **dict(norm("features.norm0", 64))}
    width = 64
    for n, layers in enumerate(DENSENET_121, start=1):
        for layer in range(1, layers + 1):
            at = f"features.denseblock{n}.denselayer{layer}"
            found |= dict(norm(f"{at}.norm1", width))
            found[f"{at}.conv1.weight"] = (128, width, 1, 1)
            found |= dict(norm(f"{at}.norm2", 128))
            found[f"{at}.conv2.weight"] = (32, 128, 3, 3)
            width += 32
        if n < len(DENSENET_121):
            found |= dict(norm(f"features.transition{n}.norm", width))
            found[f"features.transition{n}.conv.weight"] = (width // 2, width, 1, 1)
            width //= 2
    found |= dict(norm("features.norm5", width))
    return found | {"classifier.weight": (1000, width), "classifier.bias": (1000,)}


def efficientnet_shapes() -> Shapes:
    found: Shapes = {"features.0.0.weight": (32, 3, 3, 3), **dict(norm("features.0.1", 32))}
    for at, stage, first in mbconv_blocks():
        expansion, size, _, into, out, _ = stage
        into = into if first else out
        wide, squeezed = into * expansion, into // 4
        parts = [(wide, into, 1, 1)] if expansion != 1 else []
        parts.append((wide, 1, size, size))
        n = 0
        for shape in parts:
            found[f"{at}.block.{n}.0.weight"] = shape
            found |= dict(norm(f"{at}.block.{n}.1", wide))
            n += 1
        found[f"{at}.block.{n}.fc1.weight"] = (squeezed, wide, 1, 1)
        found[f"{at}.block.{n}.fc1.bias"] = (squeezed,)
        found[f"{at}.block.{n}.fc2.weight"] = (wide, squeezed, 1, 1)
        found[f"{at}.block.{n}.fc2.bias"] = (wide,)
        found[f"{at}.block.{n + 1}.0.weight"] = (out, wide, 1, 1)
        found |= dict(norm(f"{at}.block.{n + 1}.1", out))
    found["features.8.0.weight"] = (1280, 320, 1, 1)
    found |= dict(norm("features.8.1", 1280))
    return found | {"classifier.1.weight": (1000, 1280), "classifier.1.bias": (1000,)}


def mbconv_blocks() -> Iterator[tuple[str, tuple[int, ...], bool]]:
    for n, stage in enumerate(MBCONV_STAGES, start=1):
        for layer in range(stage[-1]):
            yield f"features.{n}.{layer}", stage, layer == 0


def parameters(shapes: Shapes) -> int:
    counted = (s for n, s in shapes.items() if "running" not in n and "tracked" not in n)
    return sum(int(torch.tensor(s).prod()) for s in counted)


def random_state(shapes: Shapes, seed: int = 0) -> State:
    """Weights that keep the size of what passes them, so that all layers can be seen."""
    rng = torch.Generator().manual_seed(seed)
    found: State = {}
    for name, shape in shapes.items():
        if "tracked" in name:
            found[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            found[name] = 0.5 + torch.rand(shape, generator=rng)
        elif len(shape) == 1:
            centre = 1.0 if name.endswith("weight") else 0.0
            found[name] = centre + 0.2 * torch.randn(shape, generator=rng)
        else:
            fan = int(torch.tensor(shape[1:]).prod())
            found[name] = torch.randn(shape, generator=rng) * (2 / fan) ** 0.5
    return found


def normed(x: torch.Tensor, state: State, name: str, eps: float = 1e-5) -> torch.Tensor:
    arrays = (state[f"{name}.{a}"] for a in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, *arrays, training=False, eps=eps)


def resnet(x: torch.Tensor, state: State, *, dilated: bool = False) -> torch.Tensor:
    """Pooled features; with ``dilated``, MedicalNet's third and fourth stage."""
    conv = F.conv3d if x.ndim == 5 else F.conv2d
    pool = F.max_pool3d if x.ndim == 5 else F.max_pool2d
    x = normed(conv(x, state["conv1.weight"], stride=2, padding=3), state, "bn1").relu()
    x = pool(x, 3, 2, 1)
    blocks = sorted(
        {n.rsplit(".conv", 1)[0] for n in state if n.startswith("layer") and ".conv" in n}
    )
    for at in sorted(blocks, key=lambda b: tuple(int(p) for p in b[5:].split("."))):
        stage, block = (int(p) for p in at[5:].split("."))
        dilation = {3: 2, 4: 4}.get(stage, 1) if dilated else 1
        stride = 2 if block == 0 and stage > 1 and dilation == 1 else 1
        last = max(n for n in (1, 2, 3) if f"{at}.conv{n}.weight" in state)
        y = x
        for n in range(1, last + 1):
            weight = state[f"{at}.conv{n}.weight"]
            wide = weight.shape[-1] == 3
            steps = stride if n == (2 if last == 3 else 1) else 1
            reach = {"padding": dilation, "dilation": dilation} if wide else {}
            y = normed(conv(y, weight, stride=steps, **reach), state, f"{at}.bn{n}")
            y = y.relu() if n < last else y
        if f"{at}.downsample.0.weight" in state:
            x = conv(x, state[f"{at}.downsample.0.weight"], stride=stride)
            x = normed(x, state, f"{at}.downsample.1")
        elif y.shape != x.shape:
            x = F.avg_pool3d(x, 1, stride)
            x = F.pad(x, (0,) * 6 + (0, y.shape[1] - x.shape[1]))
        x = (y + x).relu()
    return x.flatten(2).mean(2)


def densenet(x: torch.Tensor, state: State) -> torch.Tensor:
    x = F.conv2d(x, state["features.conv0.weight"], stride=2, padding=3)
    x = F.max_pool2d(normed(x, state, "features.norm0").relu(), 3, 2, 1)
    for n, layers in enumerate(DENSENET_121, start=1):
        for layer in range(1, layers + 1):
            at = f"features.denseblock{n}.denselayer{layer}"
            y = F.conv2d(normed(x, state, f"{at}.norm1").relu(), state[f"{at}.conv1.weight"])
            y = normed(y, state, f"{at}.norm2").relu()
            x = torch.cat([x, F.conv2d(y, state[f"{at}.conv2.weight"], padding=1)], 1)
        if n < len(DENSENET_121):
            at = f"features.transition{n}"
            x = F.conv2d(normed(x, state, f"{at}.norm").relu(), state[f"{at}.conv.weight"])
            x = F.avg_pool2d(x, 2)
    return normed(x, state, "features.norm5").relu().flatten(2).mean(2)


def efficientnet(x: torch.Tensor, state: State) -> torch.Tensor:
    def layer(x, name, *, act=True, **how):
        y = normed(F.conv2d(x, state[f"{name}.0.weight"], **how), state, f"{name}.1")
        return F.silu(y) if act else y

    x = layer(x, "features.0", stride=2, padding=1)
    for at, stage, first in mbconv_blocks():
        expansion, size, stride, into, out, _ = stage
        into, stride = (into, stride) if first else (out, 1)
        y, n = x, 0
        if expansion != 1:
            y, n = layer(y, f"{at}.block.0"), 1
        how = {"stride": stride, "padding": size // 2, "groups": into * expansion}
        y = layer(y, f"{at}.block.{n}", **how)
        s = y.mean((2, 3), keepdim=True)
        for fc, act in (("fc1", F.silu), ("fc2", torch.sigmoid)):
            name = f"{at}.block.{n + 1}.{fc}"
            s = act(F.conv2d(s, state[f"{name}.weight"], state[f"{name}.bias"]))
        y = layer(y * s, f"{at}.block.{n + 2}", act=False)
        x = x + y if stride == 1 and into == out else y
    return layer(x, "features.8").flatten(2).mean(2)
