"""A picture as it came: its bytes, and how they lie. It is decoded where and when somebody looks at it."""
from __future__ import annotations

from dataclasses import asdict, dataclass
import struct
from typing import Any

import numpy as np

from dam_ros.core import images
from dam_ros.core.errors import CallerFailure, NoFrame


@dataclass(frozen=True)
class Layout:
    """The fields of a `sensor_msgs/Image` beside its data."""

    encoding: str
    width: int
    height: int
    step: int
    is_bigendian: bool = False


@dataclass(frozen=True, eq=False)
class Encoded:
    """See the module's text.

    Args:
        data: anything with the buffer protocol.
        layout: None = `data` is a JPEG, PNG or WebP file.
        source: what errors call it where the caller did not send it; such a picture can only be NoFrame.
        form: `format` of a `sensor_msgs/CompressedImage`.
        up: which edge of it is up in the world, see `turning`; `pixels` are as they came all the same.

    Raises (from `size` and `pixels`): InvalidRequest or Unsupported as `core.images`, NoFrame where it has a source.
    """

    data: Any
    layout: Layout | None = None
    source: str = ''
    form: str = ''
    up: str = 'top'

    @classmethod
    def from_json(cls, values: dict, data: Any) -> Encoded:
        """What `as_json` and `data` were made of."""
        layout = values['layout']
        return cls(data, layout and Layout(**layout), values['source'], values['form'], values['up'])

    def as_json(self) -> dict:
        """All but the data."""
        return {'layout': self.layout and asdict(self.layout), 'source': self.source, 'form': self.form, 'up': self.up}

    def size(self) -> tuple[int, int]:
        """(height, width) in px, from its header."""
        return self._reading(self._size)

    def pixels(self) -> np.ndarray:
        """RGB uint8 (H, W, 3), where possible a view of `data`."""
        return self._reading(self._pixels)

    def _reading(self, read):
        if not self.source:
            return read()
        try:
            return read()
        except CallerFailure as failure:
            raise NoFrame(f'{self.source} cannot be used: {failure}') from failure
        except (struct.error, ValueError, IndexError, RuntimeError) as error:   # nonsense
            raise NoFrame(f'{self.source} is damaged: {error}') from error

    def _size(self) -> tuple[int, int]:
        if self.layout is None:
            return images.compressed_size(self.data, form=self.form)
        one = self.layout
        return images.raw_size(one.encoding, one.width, one.height, one.step, self.data)

    def _pixels(self) -> np.ndarray:
        if self.layout is None:
            return images.decode_compressed(self.data, form=self.form)
        return images.decode_raw(**asdict(self.layout), data=self.data)
