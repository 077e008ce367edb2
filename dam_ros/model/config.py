"""What the files of a checkpoint say about its shapes and switches, as values. It reads JSON only, no tensors.

The names of files and fields are those of the official layout (dam-spec 2 and 3). What the reference does not use is
not read; what it cannot run with is refused.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dam_ros.model.config_file import ConfigFile

ACTIVATIONS = ('gelu_pytorch_tanh', 'gelu', 'gelu_new', 'quick_gelu', 'silu', 'relu')
IMAGE, JOINT = 'image', 'joint'
_UNLIMITED = 1 << 30
_MOST_LAYERS, _MOST_HEAD_DIM = 1000, 1024   # beyond is a mistake, and would take minutes or gigabytes to refuse
# Of generation_config.json, with the value that changes nothing: the others change greedy texts, too, and no
# published DAM has them.
_NEUTRAL = {'repetition_penalty': 1.0, 'no_repeat_ngram_size': 0, 'min_new_tokens': 0, 'min_length': 0,
            'suppress_tokens': [], 'begin_suppress_tokens': [], 'bad_words_ids': [], 'forced_bos_token_id': None,
            'forced_eos_token_id': None}
_KIND_FIELD = 'dam_ros_model_kind'   # ours, in config.json
_SCALINGS = {'default': (), 'linear': ('factor',),
             'llama3': ('factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings')}
_BICUBIC = 3                         # Pillow's number, and what `resize` means whatever the preprocessor says
_DEFAULT_TOP_K = 50                  # of transformers' generation, which the reference samples with (dam-spec 10)


@dataclass(frozen=True)
class Vision:
    """The SigLIP tower. `used_layers`: how many layers the selected hidden state needs."""

    hidden: int
    mlp: int
    layers: int
    used_layers: int
    heads: int
    grid: int        # patches per side
    patch_px: int
    eps: float
    activation: str


@dataclass(frozen=True)
class Context:
    """The context provider: gated cross-attention after each layer of the tower.

    Attributes:
        gated: the scalars attn_factor and mlp_factor exist (zero_init_output); else both are 1.
        masked: only patches inside the region are attended to (masked_cross_attn).
        always: cross-attention also where crop and full picture are the same (treat_image_as_cimage).
        swapped: the crop is the context of the full picture (context_image_as_queries).
    """

    layers: int
    mlp: int
    heads: int
    eps: float
    activation: str
    gated: bool
    masked: bool
    always: bool
    swapped: bool


@dataclass(frozen=True)
class Pictures:
    """How a picture becomes channels.

    Attributes:
        side_px: of the square that the tower sees; what is left of the last whole patch is never seen.
        resample: of Pillow, 3 is BICUBIC.
        padded: to a square with the mean colour first (image_aspect_ratio pad).
    """

    side_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rescale: float
    resample: int
    padded: bool


@dataclass(frozen=True)
class Rope:
    """Rotary position embedding. `scaling`: rope_type and the numbers that belong to it."""

    theta: float
    scaling: dict[str, Any]


@dataclass(frozen=True)
class Language:
    """The Llama decoder.

    Attributes:
        context: positions it was trained for.
        most_input: tokens and image tokens that a prompt may have.
        ends: ids that end the text, besides the tokenizer's `</s>`.
        top_k: of sampling where nothing else is asked, 0 = no cut.
    """

    hidden: int
    mlp: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    eps: float
    activation: str
    rope: Rope
    tied: bool
    attention_bias: bool
    mlp_bias: bool
    context: int
    most_input: int
    ends: tuple[int, ...]
    top_k: int


@dataclass(frozen=True)
class Config:
    """All of a checkpoint. `kind`: IMAGE, or JOINT for one that was trained on pictures and clips."""

    vision: Vision
    context: Context
    pictures: Pictures
    language: Language
    kind: str

    @property
    def image_tokens(self) -> int:
        """Of one picture, after the projector's 2x2 merge."""
        side = (self.vision.grid + 1) // 2
        return side * side


def read(root: Path, asked_kind: str = 'auto', name: str = '') -> Config:
    """The configuration of a checkpoint's folder.

    Args:
        asked_kind: 'auto', IMAGE or JOINT.
        name: of the checkpoint, where the folder is called otherwise (a hub id).

    Raises:
        DescriberFailed: a file is missing, is no JSON, or says something the reference cannot run with.
    """
    top = ConfigFile(root, 'config.json')
    if top.values.get('context_provider_cfg') is None:
        raise top.wrong('context_provider_cfg', None, 'the configuration of the context provider')
    top.choice('mm_vision_select_feature', ('cls_patch',), 'cls_patch')
    ConfigFile(root, 'mm_projector/config.json').choice('mm_projector_type', ('mlp_downsample',))
    vision = _vision(ConfigFile(root, 'vision_tower/config.json'), top)
    pictures = _pictures(ConfigFile(root, 'vision_tower/preprocessor_config.json'), top, vision)
    context = _context(ConfigFile(root, 'context_provider/config.json'), vision)
    language = _language(ConfigFile(root, 'llm/config.json'),
                         ConfigFile(root, 'llm/generation_config.json', optional=True))
    return Config(vision, context, pictures, language, _kind(top, asked_kind, name or root.name))


def _kind(top: ConfigFile, asked: str, name: str) -> str:
    if asked != 'auto':
        return asked
    said = top.choice(_KIND_FIELD, (IMAGE, JOINT), '') if _KIND_FIELD in top.values else ''
    return said or (JOINT if any(word in name.rpartition('/')[2].lower() for word in ('video', 'joint')) else IMAGE)


def _vision(file: ConfigFile, top: ConfigFile) -> Vision:
    layers = file.whole('num_hidden_layers', most=_MOST_LAYERS)
    if file.whole('image_size') < file.whole('patch_size'):
        raise file.wrong('patch_size', file.values['patch_size'], f"at most image_size, {file.values['image_size']}")
    selected = top.values.get('mm_vision_select_layer', -2)
    if type(selected) is not int or not -layers - 1 <= selected <= layers:
        raise top.wrong('mm_vision_select_layer', selected, f'{-layers - 1} to {layers}')
    file.choice('num_mask_channels', (1,))
    vision = Vision(file.whole('hidden_size'), file.whole('intermediate_size'), layers,
                    selected + layers + 1 if selected < 0 else selected, file.whole('num_attention_heads'),
                    file.whole('image_size') // file.whole('patch_size'), file.whole('patch_size'),
                    file.number('layer_norm_eps', 1e-6),
                    file.choice('hidden_act', ACTIVATIONS, 'gelu_pytorch_tanh'))
    _check_heads(file, vision.hidden, vision.heads)
    return vision


def _check_heads(file: ConfigFile, hidden: int, heads: int) -> None:
    if hidden % heads:
        raise file.wrong('num_attention_heads', heads, f'a divisor of {hidden}')


def _context(file: ConfigFile, vision: Vision) -> Context:
    file.choice('context_provider_type', ('cross_attn_end_to_all',))
    if file.values.get('context_provider_layer_indices') is not None:   # the reference then builds no layer at all
        raise file.wrong('context_provider_layer_indices', file.values['context_provider_layer_indices'], 'null')
    if file.whole('hidden_size') != vision.hidden:
        raise file.wrong('hidden_size', file.values['hidden_size'], f"the tower's {vision.hidden}")
    context = Context(file.whole('num_hidden_layers', vision.layers), file.whole('intermediate_size'),
                      file.whole('num_attention_heads'), file.number('layer_norm_eps', 1e-6),
                      file.choice('hidden_act', ACTIVATIONS, 'gelu_pytorch_tanh'),
                      file.switch('zero_init_output', True),
                      file.switch('masked_cross_attn', False), file.switch('treat_image_as_cimage', False),
                      file.switch('context_image_as_queries', False))
    _check_heads(file, vision.hidden, context.heads)
    if context.layers < vision.used_layers:
        raise file.wrong('num_hidden_layers', context.layers, f"at least the tower's {vision.used_layers}")
    if context.masked and context.swapped:
        raise file.wrong('context_image_as_queries', True, 'false together with masked_cross_attn')
    return context


def _pictures(file: ConfigFile, top: ConfigFile, vision: Vision) -> Pictures:
    size = file.values.get('size')
    side = size.get('height') if isinstance(size, dict) else size
    if type(side) is not int or side < 1 or (isinstance(size, dict) and size.get('width') != side):
        raise file.wrong('size', size, 'equal height and width')
    if side // vision.patch_px != vision.grid:
        raise file.wrong('size', side, f"the tower's {vision.grid} patches of {vision.patch_px} px")
    colours = {}
    for field in ('image_mean', 'image_std'):
        values = file.values.get(field, [0.5, 0.5, 0.5])
        least = 0.001 if field == 'image_std' else -1000   # it divides
        if not (isinstance(values, list) and len(values) == 3
                and all(type(one) in (int, float) and least <= one <= 1000 for one in values)):
            raise file.wrong(field, values, f'three numbers from {least} to 1000')
        colours[field] = tuple(float(one) for one in values)
    aspect = top.values.get('image_aspect_ratio')   # the reference resizes for every value it does not know
    resample = _BICUBIC if aspect == 'resize' else file.choice('resample', tuple(range(6)), _BICUBIC)
    return Pictures(side, colours['image_mean'], colours['image_std'], file.number('rescale_factor', 1 / 255),
                    resample, aspect == 'pad')


def _language(file: ConfigFile, generation: ConfigFile) -> Language:
    hidden, heads = file.whole('hidden_size'), file.whole('num_attention_heads')
    kv_heads = file.whole('num_key_value_heads', heads)
    if heads % kv_heads:
        raise file.wrong('num_key_value_heads', kv_heads, f'a divisor of {heads}')
    if file.values.get('head_dim') is None:
        _check_heads(file, hidden, heads)
    _refuse_processors(generation)
    layers = file.whole('num_hidden_layers', most=_MOST_LAYERS)
    head_dim = file.whole('head_dim', hidden // heads, most=_MOST_HEAD_DIM)
    if head_dim % 2:
        raise file.wrong('head_dim', head_dim, 'an even number')
    rope, context = _rope(file), file.whole('max_position_embeddings', 2048, most=_UNLIMITED)
    stretched = int(context * rope.scaling.get('factor', 1))   # the reference then cuts nothing, and reads nonsense
    return Language(hidden, file.whole('intermediate_size'), layers, heads, kv_heads, head_dim,
                    file.whole('vocab_size', most=_UNLIMITED),
                    file.number('rms_norm_eps', 1e-6), file.choice('hidden_act', ACTIVATIONS, 'silu'), rope,
                    file.switch('tie_word_embeddings', False), file.switch('attention_bias', False),
                    file.switch('mlp_bias', False), context,
                    file.whole('tokenizer_model_max_length', stretched, most=_UNLIMITED), _ends(file, generation),
                    generation.whole('top_k', _DEFAULT_TOP_K, least=0))


def _rope(file: ConfigFile) -> Rope:
    """Both spellings: rope_theta and rope_scaling, and the rope_parameters of transformers 5."""
    held, scaling = file.within('rope_parameters'), file.within('rope_scaling')
    used = scaling if scaling.values else held
    kind = used.choice('rope_type', tuple(_SCALINGS), used.choice('type', tuple(_SCALINGS), 'default'))
    numbers = {field: used.number(field) for field in _SCALINGS[kind]}
    if kind == 'llama3' and numbers['low_freq_factor'] >= numbers['high_freq_factor']:
        raise used.wrong('low_freq_factor', numbers['low_freq_factor'], 'less than high_freq_factor')
    return Rope(held.number('rope_theta', file.number('rope_theta', 10000.0)), {'rope_type': kind, **numbers})


def _refuse_processors(generation: ConfigFile) -> None:
    for field, neutral in _NEUTRAL.items():
        value = generation.values.get(field)
        if value is not None and value != neutral:
            raise generation.wrong(field, value, f'{neutral}, or nothing')


def _ends(file: ConfigFile, generation: ConfigFile) -> tuple[int, ...]:
    """A generation_config.json that is there counts alone, also where it names no end."""
    file = generation if generation.values else file
    found = file.values.get('eos_token_id')
    ends = tuple(found) if isinstance(found, list) else () if found is None else (found,)
    if not all(type(one) is int and one >= 0 for one in ends):
        raise file.wrong('eos_token_id', found, 'a token id or a list of them')
    return ends
