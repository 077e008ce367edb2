"""The localized vision backbone: a SigLIP tower with a mask channel, and the context provider that lets the focal
crop look at the full picture (dam-spec 5 and 6).

It stops at the hidden state that the projector takes: what lies behind it (the last layer, the last norm, the pooling
head) has no effect, and is neither built nor loaded.
"""
from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
import torch.nn.functional as F

from dam_ros.model.config import Context, Vision
from dam_ros.model.layers import CrossAttention, Mlp, SelfAttention, Table

_LEAST_AREA = 1e-5   # of a patch that counts as part of the region, in pixels (dam-spec 6.4)


class _Embeddings(nn.Module):
    def __init__(self, config: Vision):
        super().__init__()
        self._config = config
        patch = config.patch_px
        self.patch_embedding = nn.Conv2d(3, config.hidden, patch, patch)
        self.mask_patch_embedding = nn.Conv2d(1, config.hidden, patch, patch)
        self.position_embedding = Table(config.grid ** 2, config.hidden)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        colours = self._project(self.patch_embedding, picture[:, :3])
        region = self._project(self.mask_patch_embedding, picture[:, 3:])
        return colours + region + self.position_embedding.weight   # (B, grid * grid, C)

    def _project(self, kernel: nn.Conv2d, channels: torch.Tensor) -> torch.Tensor:
        """The convolution as one product: exact in float32 on any device, where a convolution may use TF32."""
        grid, patch = self._config.grid, self._config.patch_px
        seen = channels[:, :, :grid * patch, :grid * patch]
        patches = seen.unflatten(3, (grid, patch)).unflatten(2, (grid, patch))   # (B, c, row, y, column, x)
        patches = patches.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)     # (B, grid * grid, c * y * x)
        return F.linear(patches, kernel.weight.flatten(1), kernel.bias)


class _Layer(nn.Module):
    def __init__(self, config: Vision):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden, eps=config.eps)
        self.self_attn = SelfAttention(config.hidden, config.heads)
        self.layer_norm2 = nn.LayerNorm(config.hidden, eps=config.eps)
        self.mlp = Mlp(config.hidden, config.mlp, config.activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class _Encoder(nn.Module):
    def __init__(self, config: Vision):
        super().__init__()
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.used_layers))


class _Tower(nn.Module):
    def __init__(self, config: Vision):
        super().__init__()
        self.embeddings = _Embeddings(config)
        self.encoder = _Encoder(config)


class VisionTower(nn.Module):
    """The tensors of vision_tower/ that have an effect."""

    def __init__(self, config: Vision):
        super().__init__()
        self.vision_model = _Tower(config)

    def embed(self, picture: torch.Tensor) -> torch.Tensor:
        """(B, 4, side, side) to (B, patches, C)."""
        return self.vision_model.embeddings(picture)

    @property
    def layers(self) -> nn.ModuleList:
        return self.vision_model.encoder.layers


class _Block(nn.Module):
    """Gated cross-attention and a gated MLP; the gates are plain factors."""

    def __init__(self, config: Context, hidden: int):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(hidden, eps=config.eps)
        self.cross_attn = CrossAttention(hidden, config.heads)
        self.layer_norm2 = nn.LayerNorm(hidden, eps=config.eps)
        self.mlp = Mlp(hidden, config.mlp, config.activation)
        self.attn_factor = self.mlp_factor = 1.0
        if config.gated:
            del self.attn_factor, self.mlp_factor
            self.attn_factor, self.mlp_factor = nn.Parameter(torch.empty(1)), nn.Parameter(torch.empty(1))

    def forward(self, x: torch.Tensor, context: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        x = x + self.attn_factor * self.cross_attn(self.layer_norm1(x), context, seen)
        return x + self.mlp_factor * self.mlp(self.layer_norm2(x))


class _Blocks(nn.Module):
    def __init__(self, config: Context, vision: Vision):
        super().__init__()
        self.layers = nn.ModuleList(_Block(config, vision.hidden) for _ in range(vision.used_layers))


class ContextProvider(nn.Module):
    """The tensors of context_provider/ that have an effect."""

    def __init__(self, config: Context, vision: Vision):
        super().__init__()
        self.context_provider_module = _Blocks(config, vision)

    @property
    def blocks(self) -> nn.ModuleList:
        return self.context_provider_module.layers


def context_pass(tower: VisionTower, picture: torch.Tensor) -> Iterator[torch.Tensor]:
    """The first pass over (B, 4, side, side) of the context: the state (B, patches, C) after each layer."""
    x = tower.embed(picture)
    yield x
    for layer in tower.layers:
        x = layer(x)
        yield x


def focused_pass(tower: VisionTower, provider: ContextProvider, picture: torch.Tensor, context: torch.Tensor,
                 seen: torch.Tensor | None) -> Iterator[torch.Tensor]:
    """The second pass: the same tower, and after each layer a look at the context; the state after each of both.

    Args:
        picture: (B, 4, side, side) of the focal crop.
        context: (B, patches, C), of the first pass.
        seen: bool (B, 1, 1, patches) of the context that may be looked at, None = all.
    """
    x = tower.embed(picture)
    yield x
    for layer, block in zip(tower.layers, provider.blocks, strict=True):
        x = block(layer(x), context, seen)
        yield x


def patches_with_region(masks: torch.Tensor, config: Vision) -> torch.Tensor:
    """Which patches a mask touches, for masked cross-attention; a mask that touches none gets all.

    Args:
        masks: (B, side, side), scaled: -1 outside where mean and deviation are 0.5, as the reference takes for granted.

    Returns:
        bool (B, 1, 1, patches).
    """
    grid, patch = config.grid, config.patch_px
    inside = (masks[:, :grid * patch, :grid * patch].float() + 1) / 2
    area = inside.unflatten(2, (grid, patch)).unflatten(1, (grid, patch)).sum(4).sum(2).flatten(1)   # (B, patches)
    touched = area >= _LEAST_AREA
    touched |= ~touched.any(dim=1, keepdim=True)   # only the unseen last pixels: the reference gives NaN there
    return touched[:, None, None]
