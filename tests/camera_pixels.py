"""Pixels as drivers send them: an RGB picture in any encoding, as rows, and as step and bytes. It asserts nothing."""
from __future__ import annotations

import numpy as np

_CHANNELS = {'rgb': (0, 1, 2), 'bgr': (2, 1, 0), 'rgba': (0, 1, 2, 3), 'bgra': (2, 1, 0, 3), 'mono': (0,),
             'UC1': (0,), 'UC3': (2, 1, 0), 'UC4': (2, 1, 0, 3)}
_PAIRS = {'uyvy': 'uyvY', 'yuv422': 'uyvY', 'yuyv': 'yuYv', 'yuv422_yuy2': 'yuYv'}


def rows_of(encoding: str, image: np.ndarray) -> np.ndarray:
    """The rows of RGB uint8 (H, W, 3) in an encoding; 255 becomes 65535 where that has 16 bit.

    Grey encodings get the red channel. A second plane (nv12, nv21, nv24) is in the rows that follow.
    """
    if encoding in _PAIRS:
        return _packed_yuv(image, _PAIRS[encoding])
    if encoding.startswith('nv'):
        return _planar_yuv(image, encoding)
    if encoding.endswith('16') or encoding.startswith('16'):
        image = image.astype(np.uint16) * 257
    if encoding.startswith('bayer'):
        return mosaic(image, encoding[6:10])
    image = np.dstack([image, np.full(image.shape[:2], 17, image.dtype)])
    name = encoding.removesuffix('16').removesuffix('8').removeprefix('16').removeprefix('8')
    rows = image[..., _CHANNELS[name]]
    return np.ascontiguousarray(rows[..., 0] if rows.shape[2] == 1 else rows)


def as_sent(rows: np.ndarray, height: int, padding: int = 0, big: bool = False) -> tuple[int, bytes]:
    """(step, data) with rubbish at the end of each row.

    Args:
        height: of the picture.
    """
    if big:
        rows = rows.astype(rows.dtype.newbyteorder('>'))
    if len(rows) == 3 * height:   # nv24: the rows of its second plane are twice as long
        step, luma = as_sent(rows[:height], height, padding)
        return step, luma + as_sent(rows[height:].reshape(height, -1), height, 2 * padding)[1]
    flat = np.frombuffer(rows.tobytes(), np.uint8).reshape(len(rows), -1)
    padded = np.concatenate([flat, np.full((len(rows), padding), 0xee, np.uint8)], 1)
    return padded.shape[1], padded.tobytes()


def mosaic(image: np.ndarray, pattern: str) -> np.ndarray:
    """One colour per pixel; the pattern is that of the first two rows, as ROS names it."""
    out = np.empty(image.shape[:2], image.dtype)
    for index, colour in enumerate(pattern):
        rows, columns = slice(index // 2, None, 2), slice(index % 2, None, 2)
        out[rows, columns] = image[rows, columns, 'rgb'.index(colour)]
    return out


def narrow(wide: np.ndarray) -> np.ndarray:
    """16 bit as 8, 65535 as 255."""
    return np.rint(wide / 257).astype(np.uint8)


def _yuv(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ITU-R BT.601, studio swing; chroma of each pair of pixels averaged."""
    red, green, blue = (image[..., index].astype(float) for index in range(3))
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    u = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    v = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    pairs = [(one[:, ::2] + one[:, 1::2]) / 2 for one in (u, v)]
    return tuple(one.round().clip(0, 255).astype(np.uint8) for one in (luma, *pairs))


def _packed_yuv(image: np.ndarray, order: str) -> np.ndarray:
    luma, u, v = _yuv(image)
    parts = {'u': u, 'v': v, 'y': luma[:, ::2], 'Y': luma[:, 1::2]}
    return np.stack([parts[one] for one in order], -1).reshape(len(image), -1)


def _planar_yuv(image: np.ndarray, encoding: str) -> np.ndarray:
    luma, u, v = _yuv(image)
    if encoding == 'nv24':
        u, v = (np.repeat(one, 2, axis=1) for one in (u, v))
    else:
        u, v = u[::2], v[::2]
    pairs = np.stack([v, u] if encoding == 'nv21' else [u, v], -1)
    return np.concatenate([luma, pairs.reshape(-1, luma.shape[1])])
