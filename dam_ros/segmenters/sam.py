"""Cuts out what was pointed at with SAM (Kirillov et al. 2023) or SAM 2 (Ravi et al. 2024), and follows it with SAM 2.

The networks are transformers'; which one it is, the weights say. It needs torch, and weights that are on disk.
"""
from __future__ import annotations

from collections.abc import Sequence
import hashlib

import cv2
import numpy as np
import torch

from dam_ros.core.segmenting import Prompt
from dam_ros.segmenters import sam_files
from dam_ros.segmenters.promises import kept, pixel
from dam_ros.segmenters.sam_network import CLASSES, device_of, load, translated
from dam_ros.segmenters.sam_pictures import Layout


def create(model: str = '', device: str = 'auto') -> Sam:
    """Loaded and ready. Raises SegmenterFailed, OutOfMemory."""
    return Sam(sam_files.find(model), device_of(device))


class Sam:
    """See `core.segmenting.Segmenter`.

    Looking at a picture takes nearly all of the time, a prompt hardly any; so the last picture's features are kept.
    """

    name = 'sam'

    def __init__(self, checkpoint: sam_files.Checkpoint, device: torch.device):
        self._checkpoint, self._device = checkpoint, device
        self._network = load(CLASSES[checkpoint.kind], checkpoint, device)
        self._video: torch.nn.Module | None = None   # loaded when first needed: most never follow anything
        self._seen, self._features = b'', None
        self.follows = checkpoint.follows

    def cut_out(self, image: np.ndarray, prompt: Prompt) -> np.ndarray:
        layout = self._layout(image)
        with torch.inference_mode(), translated('sam'):
            given = {name: value.to(self._device) for name, value in layout.prompt(prompt).items()}
            found = self._network(image_embeddings=self._look(image, layout), multimask_output=True, **given)
            best = int(found.iou_scores[0, 0].argmax())   # (B, prompts, masks)
            mask = layout.mask(found.pred_masks[0, 0, best])
        return kept(_in_one(mask, prompt), prompt)

    def follow(self, images: Sequence[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
        """Backwards, as it is known where the thing is in the last picture."""
        layout = self._layout(images[-1])
        with torch.inference_mode(), translated('sam, following'):
            if self._video is None:
                self._video = load('Sam2VideoModel', self._checkpoint, self._device)
            session = self._session([*reversed(images)], layout)
            session.add_mask_inputs(session.obj_id_to_idx(1), 0, self._square(mask, layout.side_px))
            session.obj_with_new_inputs = [1]
            found = [self._video(inference_session=session, frame_idx=index).pred_masks[0, 0]
                     for index in range(len(images))]
            masks = [layout.mask(one) for one in found[:0:-1]]
        return [*masks, mask.copy()]

    def _layout(self, image: np.ndarray) -> Layout:
        config = self._network.config
        part = config.vision_config if self._checkpoint.kind == 'SAM' else config.prompt_encoder_config
        side = part.image_size
        return Layout(self._checkpoint.kind, side if isinstance(side, int) else side[0], *image.shape[:2])

    def _look(self, image: np.ndarray, layout: Layout):
        """The features of a picture. The same picture comes as another array each time, so its bytes are compared."""
        seen = hashlib.sha1(np.ascontiguousarray(image)).digest() + repr(image.shape).encode()
        if seen != self._seen:
            self._seen = b''
            self._features = None   # makes room for the new ones
            self._features = self._network.get_image_embeddings(self._pixels(image, layout))
            self._seen = seen
        return self._features

    def _pixels(self, image: np.ndarray, layout: Layout) -> torch.Tensor:
        return layout.pixels(image, self._checkpoint.mean, self._checkpoint.std).to(self._device)

    def _session(self, images: Sequence[np.ndarray], layout: Layout):
        from transformers import Sam2VideoInferenceSession
        pixels = torch.cat([self._pixels(image, layout) for image in images])   # (T, 3, side, side)
        height, width = images[0].shape[:2]
        return Sam2VideoInferenceSession(video=pixels, video_height=height, video_width=width, dtype=torch.float32,
                                         inference_device=self._device, inference_state_device=self._device,
                                         video_storage_device=self._device)

    def _square(self, mask: np.ndarray, side_px: int) -> torch.Tensor:
        """float32 (1, 1, side, side), 0 or 1; at least one pixel where the mask has one."""
        whole = torch.from_numpy(mask.astype(np.float32))[None, None]
        share = torch.nn.functional.interpolate(whole, (side_px, side_px), mode='bilinear', align_corners=False,
                                                antialias=True)
        return (share >= min(0.5, float(share.max()))).float().to(self._device)


def _in_one(mask: np.ndarray, prompt: Prompt) -> np.ndarray:
    """The connected parts that hold something that was pointed at; the largest one where none does."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:
        return mask
    at = [parts[pixel(point, mask.shape)] for point in prompt.inside]
    if prompt.stroke is not None:
        at += np.unique(parts[prompt.stroke]).tolist()
    wanted = np.zeros(count, bool)
    wanted[at] = True
    wanted[0] = False
    if not wanted.any():
        wanted[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())] = True
    return wanted[parts]
