"""DAM the usual way: transformers' modules, eager attention, every layer, one region at a time, `generate`.

What the numbers of dam_ros are compared with (tests/test_model_plain.py). It is written for reading, straight
from dam-spec, and shares with dam_ros the tokenizer and the prompts only. It runs with transformers 4.45 and 5.
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import load_file
import torch
from torch import nn
import torch.nn.functional as F
from transformers import LlamaConfig, LlamaForCausalLM, SiglipVisionConfig, SiglipVisionModel


class CrossBlock(nn.Module):
    """Gated cross-attention and MLP, spelled out."""

    def __init__(self, config: dict):
        super().__init__()
        width, self.heads = config['hidden_size'], config['num_attention_heads']
        self.layer_norm1 = nn.LayerNorm(width, eps=config['layer_norm_eps'])
        self.layer_norm2 = nn.LayerNorm(width, eps=config['layer_norm_eps'])
        self.cross_attn = nn.ModuleDict({f'{one}_proj': nn.Linear(width, width) for one in ('q', 'k', 'v', 'out')})
        self.mlp = nn.ModuleDict({'fc1': nn.Linear(width, config['intermediate_size']),
                                  'fc2': nn.Linear(config['intermediate_size'], width)})
        self.attn_factor, self.mlp_factor = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor, context: torch.Tensor, hidden: torch.Tensor | None) -> torch.Tensor:
        q, k, v = (self.cross_attn[f'{name}_proj'](states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for name, states in (('q', self.layer_norm1(x)), ('k', context), ('v', context)))
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        if hidden is not None:
            scores = scores.masked_fill(hidden, -torch.inf)
        seen = scores.softmax(-1, dtype=torch.float32).to(q.dtype) @ v
        x = x + self.attn_factor * self.cross_attn['out_proj'](seen.transpose(1, 2).flatten(2))
        wide = F.gelu(self.mlp['fc1'](self.layer_norm2(x)), approximate='tanh')
        return x + self.mlp_factor * self.mlp['fc2'](wide)


class PlainDam:
    """Of a checkpoint's folder, in the dtype and on the device of choice."""

    def __init__(self, folder: Path, dtype: torch.dtype = torch.float32, device: str = 'cpu'):
        self.top = _json(folder / 'config.json')
        self.flags = _json(folder / 'context_provider/config.json')
        vision = _json(folder / 'vision_tower/config.json')
        self.side = _json(folder / 'vision_tower/preprocessor_config.json')['size']['height']
        self.patch, self.grid = vision['patch_size'], self.side // vision['patch_size']
        tower = SiglipVisionModel._from_config(SiglipVisionConfig(**vision), attn_implementation='eager')
        self.tower = getattr(tower, 'vision_model', tower)   # transformers 5 has one level less
        self.mask_embedding = nn.Conv2d(1, vision['hidden_size'], self.patch, self.patch)
        self.blocks = nn.ModuleList(CrossBlock(self.flags) for _ in range(vision['num_hidden_layers']))
        config = LlamaConfig(**_json(folder / 'llm/config.json'))
        self.llm = LlamaForCausalLM._from_config(config, attn_implementation='eager')
        merged, width = 4 * vision['hidden_size'], config.hidden_size
        self.projector = nn.Sequential(nn.Identity(), nn.LayerNorm(merged), nn.Linear(merged, width), nn.GELU(),
                                       nn.Linear(width, width))
        self._load(folder)
        for module in (self.tower, self.mask_embedding, self.blocks, self.llm, self.projector):
            module.to(device, dtype).eval()
        self.device, self.dtype = device, dtype

    def _load(self, folder: Path) -> None:
        vision = {name.removeprefix('vision_model.'): one for name, one in _tensors(folder / 'vision_tower').items()}
        mask = 'embeddings.mask_patch_embedding.'
        self.mask_embedding.load_state_dict({name.removeprefix(mask): vision.pop(name) for name in list(vision)
                                             if name.startswith(mask)})
        left = self.tower.load_state_dict(vision, strict=False)
        assert not left.unexpected_keys, left
        prefix = 'context_provider_module.layers.'
        self.blocks.load_state_dict({name.removeprefix(prefix): one for name, one in
                                     _tensors(folder / 'context_provider').items()},
                                    strict=self.flags.get('zero_init_output', True))
        self.projector.load_state_dict({name.removeprefix('layers.'): one for name, one in
                                        _tensors(folder / 'mm_projector').items()})
        llm = _tensors(folder / 'llm')
        left = self.llm.load_state_dict(llm, strict=False)
        assert not left.unexpected_keys and set(left.missing_keys) <= {'lm_head.weight'}, left
        self.llm.tie_weights()

    # -- one picture ----------------------------------------------------------------------------------------------

    def channels(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """uint8 (8, side, side) of RGB (H, W, 3) and bool (H, W); the bytes of Pillow 13 need Pillow 13."""
        rows, columns = np.nonzero(mask)
        left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        wide, high = max(right - left, 48), max(bottom - top, 48)
        x, y = int((left + right) / 2 - wide / 2), int((top + bottom) / 2 - high / 2)
        crop = (slice(max(y - high, 0), y + 2 * high), slice(max(x - wide, 0), x + 2 * wide))
        planes = [mask.astype(np.uint8) * 255, mask[crop].astype(np.uint8) * 255]
        full, focal, full_mask, focal_mask = (
            np.asarray(Image.fromarray(np.ascontiguousarray(one)).resize((self.side, self.side), Image.BICUBIC))
            for one in (image, image[crop], *planes))
        return np.stack([*full.transpose(2, 0, 1), full_mask, *focal.transpose(2, 0, 1), focal_mask])

    @torch.no_grad()
    def image_tokens(self, channels: np.ndarray) -> torch.Tensor:
        """(tokens, D) of uint8 (8, side, side)."""
        full, crop = self.halves(channels)
        return self.project(self.focused(full, crop, self.features(full, None, None)))

    def halves(self, channels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """What the first pass sees and what the second sees, (4, side, side) each."""
        scaled = ((channels * (1 / 255)).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)
        full, crop = torch.from_numpy(scaled).to(self.device, self.dtype).split(4)
        return (crop, full) if self.flags.get('context_image_as_queries') else (full, crop)

    @torch.no_grad()
    def focused(self, full: torch.Tensor, crop: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """(patches, C): the crop, with what the first pass saw; these features themselves where both are the same."""
        if torch.equal(full, crop) and not self.flags.get('treat_image_as_cimage'):
            return features
        hidden = None
        if self.flags.get('masked_cross_attn'):
            inside = F.avg_pool2d((full[3:] + 1) / 2, self.patch)[0].flatten() * self.patch ** 2
            hidden = inside < 1e-5 if bool((inside >= 1e-5).any()) else None
        return self.features(crop, features, hidden)

    @torch.no_grad()
    def features(self, picture: torch.Tensor, context: torch.Tensor | None, hidden) -> torch.Tensor:
        """(patches, C): the selected hidden state of (4, side, side)."""
        patches = self.tower.embeddings.patch_embedding(picture[None, :3]) + self.mask_embedding(picture[None, 3:])
        x = patches.flatten(2).transpose(1, 2) + self.tower.embeddings.position_embedding.weight
        states = [x]
        for layer, block in zip(self.tower.encoder.layers, self.blocks):
            x = layer(x, None)
            x = x[0] if isinstance(x, tuple) else x
            x = x if context is None else block(x, context[None], hidden)
            states.append(x)
        self.tower.post_layernorm(x)   # computed for nothing, as in the usual way
        return states[self.top['mm_vision_select_layer']][0]

    @torch.no_grad()
    def project(self, features: torch.Tensor) -> torch.Tensor:
        """(tokens, D) of (patches, C)."""
        grid = F.pad(features.view(self.grid, self.grid, -1), (0, 0, 0, self.grid % 2, 0, self.grid % 2))
        blocks = [torch.cat((grid[r, c], grid[r, c + 1], grid[r + 1, c], grid[r + 1, c + 1]))
                  for c in range(0, len(grid), 2) for r in range(0, len(grid), 2)]
        return self.projector(torch.stack(blocks))

    # -- text -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def inputs(self, prompt, tokens: list[torch.Tensor]) -> torch.Tensor:
        """(1, T, D) of a `dam_ros.model.prompts.Prompt` and the tokens of its pictures."""
        parts = [part for ids, one in zip(prompt.before, tokens) for part in (self._embed(ids), one)]
        return torch.cat([*parts, self._embed(prompt.behind)])[None]

    def _embed(self, ids) -> torch.Tensor:
        return self.llm.get_input_embeddings()(torch.tensor(ids, dtype=torch.long, device=self.device))

    @torch.no_grad()
    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """float32 (T, V): what may follow each position."""
        return self.llm(inputs_embeds=inputs).logits[0].float()

    @torch.no_grad()
    def generate(self, inputs: torch.Tensor, most: int, end: int, streamer=None) -> list[int]:
        """Greedy ids, the end included. `streamer`: transformers', is given each id as it is made."""
        attended = torch.ones(inputs.shape[:2], dtype=torch.long, device=self.device)
        return self.llm.generate(inputs_embeds=inputs, attention_mask=attended, max_new_tokens=most, do_sample=False,
                                 eos_token_id=end, pad_token_id=0, streamer=streamer)[0].tolist()


def _json(path: Path) -> dict:
    return json.loads(path.read_text(encoding='utf-8'))


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: one for path in sorted(folder.glob('*.safetensors')) for name, one in load_file(path).items()}
