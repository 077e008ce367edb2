"""Checkpoints with random numbers in the official layout: the same files, names and shapes, no knowledge.

They try the whole way that real weights go where those cannot be had; the tests are made of them. What such
a model says is gibberish, repeatable for a seed. `python -m dam_ros.model.random_checkpoint FOLDER` writes a tiny one.
"""
from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
import io
import json
from pathlib import Path
import struct

from safetensors.torch import save_file
import sentencepiece
import torch

from dam_ros.model.config import IMAGE, JOINT

_NAMES = ('<unk>', '<s>', '</s>')   # ids 0, 1, 2, as in Llama's tokenizer
_TRAINED = 2000                     # pieces
# Lines of this package as they once stood. Never to be changed: with other pieces every random model says other things.
_TEXT = Path(__file__).parent.parent / 'data' / 'tokenizer_text.txt'
_BYTES = slice(3, 259)              # ids of sentencepiece's byte pieces


@dataclass(frozen=True)
class Sizes:
    """What may differ from one checkpoint to the next. The defaults are small, with the real proportions of parts."""

    kind: str = IMAGE
    side_px: int = 384
    patch_px: int = 14
    vision_hidden: int = 32
    vision_mlp: int = 64
    vision_layers: int = 3
    vision_heads: int = 2
    context_heads: int = 2
    hidden: int = 48
    mlp: int = 96
    layers: int = 2
    heads: int = 4
    kv_heads: int = 4
    vocabulary: int = 600
    context: int = 4096
    context_flags: tuple[str, ...] = ()   # of context_provider/config.json, set to true
    tied: bool = False
    shards: int = 1
    dtype: str = 'float32'
    end_gain: float = 1.6   # over the other rows of lm_head, so that texts end by themselves; 0: none ever ends


SIZES = {
    'tiny': Sizes(),
    # 158 million parameters, 633 MB: large enough that two cores do nothing but read weights
    'mid': Sizes(vision_hidden=256, vision_mlp=2048, vision_layers=8, vision_heads=4, context_heads=4, hidden=768,
                 mlp=2048, layers=12, heads=12, kv_heads=12, vocabulary=32000),
    # DAM-3B, dam-spec 3
    '3b': Sizes(vision_hidden=1152, vision_mlp=4304, vision_layers=27, vision_heads=16, context_heads=16, hidden=2560,
                mlp=6912, layers=32, heads=20, kv_heads=20, vocabulary=32000, shards=2, dtype='bfloat16'),
}


def write(folder: Path, sizes: Sizes = Sizes(), seed: int = 0) -> Path:   # noqa: B008  a frozen value
    """Writes all files of a checkpoint; the same sizes and seed give the same bytes. Returns the folder."""
    random = torch.Generator().manual_seed(seed)
    configs = _configs(sizes)
    for part, values in configs.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        _write_json(folder / part / 'config.json', values)
    top = {'model_type': 'llava_llama', 'architectures': ['LlavaLlamaModel'], 'image_aspect_ratio': 'resize',
           'mm_vision_select_layer': -2, 'mm_vision_select_feature': 'cls_patch', 'num_video_frames': 8,
           'dam_ros_model_kind': sizes.kind, **{_CONFIG_NAMES[part]: values for part, values in configs.items()}}
    _write_json(folder / 'config.json', top)
    _write_json(folder / 'vision_tower/preprocessor_config.json', {
        'size': {'height': sizes.side_px, 'width': sizes.side_px}, 'resample': 3, 'rescale_factor': 1 / 255,
        'image_mean': [0.5] * 3, 'image_std': [0.5] * 3})
    _write_json(folder / 'llm/generation_config.json', {'bos_token_id': 1, 'eos_token_id': 2, 'pad_token_id': 0})
    (folder / 'llm/tokenizer.model').write_bytes(_tokenizer(sizes.vocabulary))
    _write_json(folder / 'llm/tokenizer_config.json', {'legacy': False, 'tokenizer_class': 'LlamaTokenizer',
                'added_tokens_decoder': {str(id): {'content': name, 'special': True}
                                         for id, name in enumerate(_NAMES)}})
    for part, shapes in (('vision_tower', _vision(sizes)), ('context_provider', _context(sizes)),
                         ('mm_projector', _projector(sizes)), ('llm', _language(sizes))):
        _write_tensors(folder / part, shapes, sizes, random)
    return folder


_CONFIG_NAMES = {'llm': 'llm_cfg', 'vision_tower': 'vision_tower_cfg', 'mm_projector': 'mm_projector_cfg',
                 'context_provider': 'context_provider_cfg'}


def _configs(sizes: Sizes) -> dict[str, dict]:
    vision = {'hidden_size': sizes.vision_hidden, 'intermediate_size': sizes.vision_mlp,
              'num_hidden_layers': sizes.vision_layers, 'image_size': sizes.side_px, 'patch_size': sizes.patch_px,
              'layer_norm_eps': 1e-6, 'hidden_act': 'gelu_pytorch_tanh'}
    return {
        'llm': {'model_type': 'llama', 'architectures': ['LlamaForCausalLM'], 'hidden_size': sizes.hidden,
                'intermediate_size': sizes.mlp, 'num_hidden_layers': sizes.layers,
                'num_attention_heads': sizes.heads, 'num_key_value_heads': sizes.kv_heads,
                'vocab_size': sizes.vocabulary, 'rms_norm_eps': 1e-5, 'rope_theta': 10000.0, 'rope_scaling': None,
                'max_position_embeddings': sizes.context, 'tokenizer_model_max_length': sizes.context,
                'tie_word_embeddings': sizes.tied, 'hidden_act': 'silu', 'bos_token_id': 1, 'eos_token_id': 2,
                'pad_token_id': 0},
        'vision_tower': {'model_type': 'siglip_vision_model', 'architectures': ['SiglipVisionModel'], **vision,
                         'num_attention_heads': sizes.vision_heads, 'num_mask_channels': 1},
        'mm_projector': {'mm_projector_type': 'mlp_downsample', 'model_type': 'v2l_projector'},
        'context_provider': {'model_type': 'context_provider', 'context_provider_type': 'cross_attn_end_to_all',
                             **vision, 'num_attention_heads': sizes.context_heads, 'zero_init_output': True,
                             'context_provider_layer_indices': None, **dict.fromkeys(sizes.context_flags, True)},
    }


# -- names and shapes, as in the published files (dam-spec 2.1)

def _linear(name: str, out: int, into: int) -> dict[str, tuple[int, ...]]:
    return {f'{name}.weight': (out, into), f'{name}.bias': (out,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f'{name}.weight': (width,), f'{name}.bias': (width,)}


def _block(name: str, attention: str, width: int, wide: int) -> dict[str, tuple[int, ...]]:
    shapes = {**_norm(f'{name}.layer_norm1', width), **_norm(f'{name}.layer_norm2', width),
              **_linear(f'{name}.mlp.fc1', wide, width), **_linear(f'{name}.mlp.fc2', width, wide)}
    for part in ('q', 'k', 'v', 'out'):
        shapes.update(_linear(f'{name}.{attention}.{part}_proj', width, width))
    return shapes


def _vision(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    width, wide, patch = sizes.vision_hidden, sizes.vision_mlp, sizes.patch_px
    shapes = {
        'vision_model.embeddings.patch_embedding.weight': (width, 3, patch, patch),
        'vision_model.embeddings.patch_embedding.bias': (width,),
        'vision_model.embeddings.mask_patch_embedding.weight': (width, 1, patch, patch),
        'vision_model.embeddings.mask_patch_embedding.bias': (width,),
        'vision_model.embeddings.position_embedding.weight': ((sizes.side_px // patch) ** 2, width),
        **_norm('vision_model.post_layernorm', width),
        'vision_model.head.probe': (1, 1, width),
        'vision_model.head.attention.in_proj_weight': (3 * width, width),
        'vision_model.head.attention.in_proj_bias': (3 * width,),
        **_linear('vision_model.head.attention.out_proj', width, width),
        **_norm('vision_model.head.layernorm', width),
        **_linear('vision_model.head.mlp.fc1', wide, width), **_linear('vision_model.head.mlp.fc2', width, wide),
    }
    for index in range(sizes.vision_layers):
        shapes.update(_block(f'vision_model.encoder.layers.{index}', 'self_attn', width, wide))
    return shapes


def _context(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for index in range(sizes.vision_layers):
        name = f'context_provider_module.layers.{index}'
        shapes.update(_block(name, 'cross_attn', sizes.vision_hidden, sizes.vision_mlp))
        shapes.update({f'{name}.attn_factor': (1,), f'{name}.mlp_factor': (1,)})
    return shapes


def _projector(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    merged = 4 * sizes.vision_hidden
    return {**_norm('layers.1', merged), **_linear('layers.2', sizes.hidden, merged),
            **_linear('layers.4', sizes.hidden, sizes.hidden)}


def _language(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    width, wide = sizes.hidden, sizes.mlp
    narrow = width // sizes.heads * sizes.kv_heads
    shapes = {'model.embed_tokens.weight': (sizes.vocabulary, width), 'model.norm.weight': (width,)}
    if not sizes.tied:
        shapes['lm_head.weight'] = (sizes.vocabulary, width)
    for index in range(sizes.layers):
        name = f'model.layers.{index}'
        shapes.update({
            f'{name}.self_attn.q_proj.weight': (width, width), f'{name}.self_attn.k_proj.weight': (narrow, width),
            f'{name}.self_attn.v_proj.weight': (narrow, width), f'{name}.self_attn.o_proj.weight': (width, width),
            f'{name}.mlp.gate_proj.weight': (wide, width), f'{name}.mlp.up_proj.weight': (wide, width),
            f'{name}.mlp.down_proj.weight': (width, wide), f'{name}.input_layernorm.weight': (width,),
            f'{name}.post_attention_layernorm.weight': (width,)})
    return shapes


# -- numbers

def _write_tensors(folder: Path, shapes: dict[str, tuple[int, ...]], sizes: Sizes, random: torch.Generator) -> None:
    shards = sizes.shards if folder.name == 'llm' else 1
    names = list(shapes)
    where = {}
    for number in range(shards):
        file = 'model.safetensors' if shards == 1 else f'model-{number + 1:05}-of-{shards:05}.safetensors'
        held = {name: _numbers(name, shapes[name], random, sizes.end_gain).to(getattr(torch, sizes.dtype))
                for name in names[number::shards]}
        save_file(held, folder / file, {'format': 'pt'})
        where.update(dict.fromkeys(held, file))
    if shards > 1:
        _write_json(folder / 'model.safetensors.index.json', {'metadata': {}, 'weight_map': where})


def _numbers(name: str, shape: tuple[int, ...], random: torch.Generator, end_gain: float) -> torch.Tensor:
    """Of a size that keeps the stream lively: what differs in the picture must differ in the words."""
    if 'norm' in name and name.endswith('weight'):
        return 1 + 0.1 * torch.randn(shape, generator=random)
    if name.endswith('_factor'):
        return 0.4 + 0.4 * torch.rand(shape, generator=random)
    if name.endswith('bias') or 'embed' in name and 'patch' not in name:
        return (1.0 if 'tokens' in name else 0.2) * torch.randn(shape, generator=random)
    numbers = torch.randn(shape, generator=random) * (shape[-1] if len(shape) < 4 else shape[-1] ** 2) ** -0.5
    if name == 'lm_head.weight':
        numbers *= 3.0   # margins as of a model that is sure
        numbers[_NAMES.index('</s>')] *= end_gain
        numbers[_BYTES] *= 0.3   # words rather than bytes that are no characters
    if name.split('.')[-2] in ('q_proj', 'k_proj'):
        numbers *= 2.0   # attention that picks, rather than an average over the picture
    return numbers


def _tokenizer(vocabulary: int) -> bytes:
    """Trained on our own source text: byte pieces for what it lacks, no normalization, as Llama's.

    There is text for some two thousand pieces; the rest are names that no text leads to.
    """
    trained = min(vocabulary, _TRAINED)
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_TEXT.read_text(encoding='utf-8').splitlines()), model_writer=made, model_type='bpe',
        vocab_size=trained, byte_fallback=True, normalization_rule_name='identity', add_dummy_prefix=True,
        remove_extra_whitespaces=False, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, num_threads=1, minloglevel=2)
    return made.getvalue() + b''.join(_piece(f'piece{number}') for number in range(trained, vocabulary))


def _piece(name: str) -> bytes:
    """One more entry behind a serialized ModelProto: field 1, in it the text (field 1) and a low score (field 2)."""
    held = b'\x0a' + bytes([len(name)]) + name.encode() + b'\x15' + struct.pack('<f', -1e6)
    return b'\x0a' + bytes([len(held)]) + held


def _write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=2) + '\n', encoding='utf-8')


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog='python -m dam_ros.model.random_checkpoint',
                                     description='Write a checkpoint with random numbers.')
    parser.add_argument('folder', type=Path)
    parser.add_argument('--size', choices=SIZES, default='tiny', help='mid: 633 MB; 3b: the real shapes, 7 GB')
    parser.add_argument('--kind', choices=(IMAGE, JOINT), default=IMAGE)
    parser.add_argument('--seed', type=int, default=0)
    asked = parser.parse_args()
    print(write(asked.folder, replace(SIZES[asked.size], kind=asked.kind), asked.seed))


if __name__ == '__main__':
    main()
