"""SAM and SAM 2: what a direct call of transformers finds, we find. The weights are random, in the official layout."""
from __future__ import annotations

from pathlib import Path
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import tiny_sam

torch = pytest.importorskip('torch', reason='torch is not installed')
transformers = pytest.importorskip('transformers', reason='transformers is not installed')

from dam_ros import segmenters   # noqa: E402
from dam_ros.core.errors import OutOfMemory, SegmenterFailed   # noqa: E402
from dam_ros.core.segmenting import Prompt   # noqa: E402
from dam_ros.segmenters import sam, sam_files, sam_network   # noqa: E402
from dam_ros.segmenters.sam_pictures import Layout, spread   # noqa: E402

CLASSES = {'sam': 'SamModel', 'sam2': 'Sam2Model', 'sam2_video': 'Sam2Model'}
PROMPTS = [Prompt(box=(20, 10, 90, 70)), Prompt(inside=((40, 30),)), Prompt(inside=((30, 40), (60, 50)),
                                                                         outside=((5, 5), (110, 80)))]


@pytest.fixture(scope='module')
def folders(tmp_path_factory) -> dict[str, Path]:
    return {kind: tiny_sam.write(tmp_path_factory.mktemp(kind), kind) for kind in tiny_sam.KINDS}


@pytest.fixture(scope='module', params=tiny_sam.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope='module')
def made(folders: dict[str, Path]) -> dict[str, sam.Sam]:
    return {kind: segmenters.create('sam', str(folder), 'cpu') for kind, folder in folders.items()}


def picture(seed: int = 0, height: int = 90, width: int = 120) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


# -- the same as transformers -----------------------------------------------------------------------------------------

def direct(folder: Path, kind: str, image: np.ndarray, prompt: Prompt) -> np.ndarray:
    """bool (H, W) by the plain recipe: Pillow's resize, the network in one call, transformers' way back."""
    from PIL import Image
    height, width = image.shape[:2]
    side = tiny_sam.SIDE_PX
    used = (side, side)
    if kind == 'sam':
        used = tuple(int(one * side / max(height, width) + 0.5) for one in (height, width))
    small = np.asarray(Image.fromarray(image).resize(used[::-1], Image.Resampling.BILINEAR), np.float32) / 255
    pixels = np.zeros((side, side, 3), np.float32)
    pixels[:used[0], :used[1]] = (small - np.float32(tiny_sam.MEAN)) / np.float32(tiny_sam.STD)
    given = {'pixel_values': torch.from_numpy(pixels.transpose(2, 0, 1)[None])}
    scale = np.array([used[1] / width, used[0] / height])
    if prompt.box is not None:
        given['input_boxes'] = torch.tensor((np.reshape(prompt.box, (2, 2)) * scale).reshape(1, 1, 4)).float()
    else:
        points = np.array([*prompt.inside, *prompt.outside]) * scale
        given['input_points'] = torch.tensor(points[None, None]).float()
        given['input_labels'] = torch.tensor([[[1] * len(prompt.inside) + [0] * len(prompt.outside)]])
    network = getattr(transformers, CLASSES[kind]).from_pretrained(folder).eval()
    with torch.no_grad():
        found = network(**given)
    logits = found.pred_masks[0, 0, found.iou_scores[0, 0].argmax()][None, None]
    if kind == 'sam':
        logits = torch.nn.functional.interpolate(logits, (side, side), mode='bilinear')[..., :used[0], :used[1]]
    return (torch.nn.functional.interpolate(logits, (height, width), mode='bilinear')[0, 0] > 0).numpy()


@pytest.mark.parametrize('shape', [(90, 120), (120, 70), (40, 64)])
@pytest.mark.parametrize('prompt', PROMPTS, ids=['box', 'point', 'points'])
def test_it_finds_what_transformers_finds(folders, made, kind: str, prompt: Prompt, shape: tuple, monkeypatch):
    """All but the promises about parts and borders, which transformers does not make."""
    monkeypatch.setattr(sam, '_in_one', lambda mask, prompt: mask)
    monkeypatch.setattr(sam, 'kept', lambda mask, prompt: mask)
    image = picture(3, *shape)
    wanted = direct(folders[kind], kind, image, prompt)
    assert 0 < wanted.mean() < 1
    assert (made[kind].cut_out(image, prompt) == wanted).mean() > 0.995   # Pillow rounds between its two passes


def test_prompts_go_where_the_picture_goes():
    """A point's place in the square is that of the pixels around it."""
    image = np.zeros((60, 120, 3), np.uint8)
    image[40:44, 88:92] = 255
    for kind in ('SAM', 'SAM 2'):
        layout = Layout(kind, 64, 60, 120)
        bright = layout.pixels(image, (0, 0, 0), (1, 1, 1))[0].sum(0)
        y, x = np.unravel_index(int(bright.argmax()), bright.shape)
        at = layout.prompt(Prompt(inside=((89.5, 41.5),)))['input_points'][0, 0, 0]
        assert at.tolist() == pytest.approx([x, y], abs=1.5)
        assert layout.mask((bright > 0.5).float() - 0.5)[40:44, 88:92].all()


def test_padding_is_black_after_normalising():
    pixels = Layout('SAM', 64, 30, 60).pixels(np.full((30, 60, 3), 128, np.uint8), (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    assert (pixels[0, :, 32:] == 0).all() and (pixels[0, :, :32] != 0).all()


# -- parts and strokes ------------------------------------------------------------------------------------------------

def test_only_the_part_that_was_pointed_at_stays():
    mask = np.zeros((40, 60), bool)
    mask[5:15, 5:15] = mask[20:38, 30:55] = True
    assert sam._in_one(mask, Prompt(inside=((8, 8),)))[:, :20].sum() == 100
    assert not sam._in_one(mask, Prompt(inside=((8, 8),)))[:, 20:].any()
    assert sam._in_one(mask, Prompt(inside=((8, 8), (40, 30)))).sum() == mask.sum()
    assert sam._in_one(mask, Prompt(box=(0, 0, 60, 40))).sum() == 18 * 25
    assert sam._in_one(mask, Prompt(inside=((25, 2),))).sum() == 18 * 25


def test_points_are_spread_over_a_stroke_and_lie_in_it():
    drawn = np.zeros((300, 400), np.uint8)
    cv2.polylines(drawn, [np.array([[20, 20], [380, 40], [350, 280], [40, 250]])], False, 1, 9)
    points = spread(drawn > 0)
    assert 8 <= len(points) <= 16 and len(set(points)) == len(points)
    assert all(drawn[int(y), int(x)] for x, y in points)
    for corner in ((20, 20), (380, 40), (350, 280), (40, 250)):
        assert min(np.hypot(x - corner[0], y - corner[1]) for x, y in points) < 60
    assert spread(drawn > 0) == points


@pytest.mark.parametrize('shape', [(1, 1), (3000, 4000)])
def test_points_of_the_smallest_and_of_a_large_stroke(shape: tuple[int, int]):
    assert 1 <= len(spread(np.ones(shape, bool))) <= 16


# -- looking once -----------------------------------------------------------------------------------------------------

def test_a_picture_is_looked_at_once_for_all_its_prompts(made, kind: str, monkeypatch):
    looked = []
    network = made[kind]._network
    look = network.get_image_embeddings
    monkeypatch.setattr(network, 'get_image_embeddings', lambda pixels: looked.append(1) or look(pixels))
    image = picture(11)
    first = [made[kind].cut_out(image, one) for one in PROMPTS]
    assert len(looked) == 1
    made[kind].cut_out(image.copy(), PROMPTS[1])   # the same picture in another array
    assert len(looked) == 1
    made[kind].cut_out(picture(12), PROMPTS[1])
    assert len(looked) == 2
    again = [made[kind].cut_out(image, one) for one in PROMPTS]
    assert len(looked) == 3 and all(map(np.array_equal, first, again))


def test_a_picture_that_was_changed_in_place_is_looked_at_anew(made):
    image = picture(13)
    made['sam2'].cut_out(image, PROMPTS[1])
    image[:] = picture(14)
    kept = made['sam2'].cut_out(image, PROMPTS[1])
    made['sam2'].cut_out(picture(15), PROMPTS[1])
    assert np.array_equal(made['sam2'].cut_out(picture(14), PROMPTS[1]), kept)


# -- clips ------------------------------------------------------------------------------------------------------------

def test_only_weights_with_a_memory_follow(made):
    assert {kind: one.follows for kind, one in made.items()} == {'sam': False, 'sam2': False, 'sam2_video': True}


def test_a_thing_is_followed_backwards_from_the_last_picture(folders, made):
    """Compared with transformers' own session over the pictures in reverse order."""
    images = [picture(seed) for seed in range(4)]
    mask = np.zeros((90, 120), bool)
    mask[20:60, 30:80] = True
    found = made['sam2_video'].follow(images, mask)
    assert [(one.dtype, one.shape) for one in found] == [(bool, (90, 120))] * 4
    assert np.array_equal(found[-1], mask) and found[-1] is not mask
    wanted = direct_clip(folders['sam2_video'], images, mask)
    for ours, theirs in zip(found[:-1], wanted):
        assert 0 < theirs.mean() < 1 and (ours == theirs).mean() > 0.99


def direct_clip(folder: Path, images: list[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
    side = tiny_sam.SIDE_PX
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (tiny_sam.MEAN, tiny_sam.STD))
    frames = torch.stack([torch.from_numpy(one.copy()).permute(2, 0, 1) for one in images[::-1]])
    frames = torch.nn.functional.interpolate(frames, (side, side), mode='bilinear', antialias=True)
    network = transformers.Sam2VideoModel.from_pretrained(folder).eval()
    session = transformers.Sam2VideoInferenceSession((frames.float() / 255 - mean) / std, *mask.shape,
                                                     dtype=torch.float32)
    small = torch.nn.functional.interpolate(torch.from_numpy(mask)[None, None].float(), (side, side), mode='bilinear',
                                            antialias=True) >= 0.5
    session.add_mask_inputs(session.obj_id_to_idx(1), 0, small.float())
    session.obj_with_new_inputs = [1]
    with torch.no_grad():
        found = [one.pred_masks for one in network.propagate_in_video_iterator(session, start_frame_idx=0)]
    return [(torch.nn.functional.interpolate(one, mask.shape, mode='bilinear')[0, 0] > 0).numpy()
            for one in found[:0:-1]]


def test_the_shortest_clip_and_the_smallest_thing(made):
    mask = np.zeros((900, 1200), bool)
    mask[450, 600] = True
    assert np.array_equal(made['sam2_video'].follow([picture(0, 900, 1200)], mask)[0], mask)
    found = made['sam2_video'].follow([picture(1, 900, 1200), picture(0, 900, 1200)], mask)
    assert len(found) == 2 and np.array_equal(found[1], mask)


def test_following_leaves_the_looks_at_single_pictures_alone(made):
    one = made['sam2_video']
    before = one.cut_out(picture(5), PROMPTS[1])
    one.follow([picture(6), picture(5)], before)
    assert np.array_equal(one.cut_out(picture(5), PROMPTS[1]), before)


# -- what goes wrong --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('device', ['cuda:99', 'tpu', 'gpu', ''])
def test_a_device_that_is_not_there(folders, device: str):
    with pytest.raises(SegmenterFailed, match='^segmenter_device is .*auto, cpu, cuda'):
        segmenters.create('sam', str(folders['sam']), device)


def test_an_older_transformers_is_told_by_version(folders, monkeypatch):
    older = SimpleNamespace(SamModel=transformers.SamModel, utils=transformers.utils)
    monkeypatch.setattr(sam_network, 'transformers', older)
    with pytest.raises(SegmenterFailed, match=r'SAM 2 needs transformers 4\.56 or newer, .* pip install -U'):
        segmenters.create('sam', str(folders['sam2_video']), 'cpu')


def test_weights_that_are_not_all_there_are_not_filled_with_random_numbers(folders, tmp_path: Path):
    from safetensors.torch import load_file, save_file
    folder = tmp_path / 'half'
    shutil.copytree(folders['sam2'], folder)
    tensors = load_file(folder / 'model.safetensors')
    lost = next(name for name in tensors if name.startswith('mask_decoder'))
    del tensors[lost]
    save_file(tensors, folder / 'model.safetensors', {'format': 'pt'})
    with pytest.raises(SegmenterFailed, match=f'not hold all weights of Sam2Model: {lost}'):
        segmenters.create('sam', str(folder), 'cpu')


def test_a_full_gpu_is_told_with_what_helps():
    with pytest.raises(OutOfMemory, match='Set segmenter_device to cpu'), sam_network.translated('sam'):
        raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')


def test_nothing_found_names_the_field(folders, made, monkeypatch):
    monkeypatch.setattr(Layout, 'mask', lambda self, logits: np.zeros((90, 120), bool))
    with pytest.raises(SegmenterFailed, match=r'^region\.box_xywh is \[20, 10, 90, 70\]'):
        made['sam'].cut_out(picture(), PROMPTS[0])


def test_loading_says_nothing_and_leaves_transformers_as_it_was(folders, capfd):
    log = transformers.utils.logging
    before = (log.get_verbosity(), log.is_progress_bar_enabled())
    segmenters.create('sam', str(folders['sam2_video']), 'cpu')
    assert capfd.readouterr() == ('', '') and (log.get_verbosity(), log.is_progress_bar_enabled()) == before


def test_a_pickle_beside_it_is_not_read(folders, tmp_path: Path):
    folder = tmp_path / 'pickled'
    shutil.copytree(folders['sam'], folder)
    (folder / 'model.safetensors').rename(folder / 'pytorch_model.bin')
    with pytest.raises(SegmenterFailed, match='no other kind of weights is loaded'):
        sam_files.find(str(folder))
