"""Tiny random checkpoints of SAM and SAM 2 in the official layout, as transformers' save_pretrained writes them."""
from __future__ import annotations

import json
from pathlib import Path

KINDS = ('sam', 'sam2', 'sam2_video')
SIDE_PX = 64
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def write(folder: Path, kind: str, seed: int = 0) -> Path:
    """Makes config.json, preprocessor_config.json and model.safetensors; needs torch and transformers."""
    import torch
    torch.manual_seed(seed)
    network = {'sam': _sam, 'sam2': _sam2, 'sam2_video': _sam2_video}[kind]().eval()
    for weight in network.parameters():   # as they start, prompts hardly matter, and zeros would hide mistakes
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    network.save_pretrained(folder)
    size = {'longest_edge': SIDE_PX} if kind == 'sam' else {'height': SIDE_PX, 'width': SIDE_PX}
    (folder / 'preprocessor_config.json').write_text(json.dumps({'size': size, 'image_mean': MEAN, 'image_std': STD}))
    return folder


def _sam():
    from transformers import SamConfig, SamModel
    vision = {'hidden_size': 16, 'output_channels': 16, 'num_hidden_layers': 2, 'num_attention_heads': 2, 'mlp_dim': 32,
              'image_size': SIDE_PX, 'patch_size': 16, 'window_size': 2, 'global_attn_indexes': [1],
              'num_pos_feats': 8}
    prompt = {'hidden_size': 16, 'image_size': SIDE_PX, 'patch_size': 16, 'mask_input_channels': 4}
    decoder = {'hidden_size': 16, 'mlp_dim': 32, 'num_attention_heads': 2, 'iou_head_hidden_dim': 16}
    return SamModel(SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder))


def _parts() -> dict[str, dict]:
    backbone = {'model_type': 'sam2_hiera_det_model', 'hidden_size': 8, 'image_size': [SIDE_PX, SIDE_PX],
                'blocks_per_stage': [1, 1, 2, 1], 'embed_dim_per_stage': [8, 16, 32, 64],
                'num_attention_heads_per_stage': [1, 2, 2, 2], 'window_size_per_stage': [8, 4, 4, 2],
                'global_attention_blocks': [3], 'window_positional_embedding_background_size': [4, 4]}
    vision = {'model_type': 'sam2_vision_model', 'backbone_config': backbone, 'fpn_hidden_size': 128,
              'backbone_channel_list': [64, 32, 16, 8], 'backbone_feature_sizes': [[16, 16], [8, 8], [4, 4]]}
    prompt = {'hidden_size': 128, 'image_size': SIDE_PX, 'mask_input_channels': 4}
    decoder = {'hidden_size': 128, 'mlp_dim': 32, 'num_attention_heads': 2, 'iou_head_hidden_dim': 16}
    return {'vision_config': vision, 'prompt_encoder_config': prompt, 'mask_decoder_config': decoder}


def _sam2():
    from transformers import Sam2Config, Sam2Model
    return Sam2Model(Sam2Config(**_parts()))


def _sam2_video():
    from transformers import Sam2VideoConfig, Sam2VideoModel
    return Sam2VideoModel(Sam2VideoConfig(
        **_parts(), image_size=SIDE_PX, memory_attention_hidden_size=128, memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32, memory_attention_rope_feat_sizes=[4, 4],
        memory_encoder_hidden_size=128, memory_encoder_output_channels=64, mask_downsampler_embed_dim=128,
        memory_fuser_num_layers=1, memory_fuser_embed_dim=128, memory_fuser_intermediate_dim=32))
