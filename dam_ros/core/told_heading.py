"""How far a camera has turned by what tf tells of it: the same three numbers as `visual_heading`, without pictures."""
from __future__ import annotations

import math

_STALE_S = 1.0   # a transform that has not changed its stamp for so long comes no more


class ToldHeading:
    """Of one camera.

    Args:
        epoch: the first; it should be another after a restart.

    Attributes:
        epoch, heading_rad, rate_rad_s: as in `visual_heading.VisualHeading`.
    """

    def __init__(self, epoch: int):
        self.epoch, self.heading_rad, self.rate_rad_s = epoch, math.nan, math.nan
        self._stamp_ns: int | None = None
        self._yaw, self._total = None, math.nan   # as it was told last, and with its whole turns
        self._new_s = -math.inf   # when the newest stamp came

    def tell(self, now_s: float, yaw_rad: float, stamp_ns: int) -> None:
        """Where the camera looks.

        Args:
            now_s: s of the steady clock.
            yaw_rad: to the left, -pi..pi; NaN unknown.
            stamp_ns: of the transform, 0 = it always holds. Compared with other stamps only, as its clock may be
                another machine's.
        """
        if self._stamp_ns and 0 < stamp_ns < self._stamp_ns:   # a bag began again
            self.epoch = (self.epoch + 1) % 2 ** 32
            self._yaw = None
        news = stamp_ns != self._stamp_ns or stamp_ns == 0
        if math.isnan(yaw_rad) or not news and now_s - self._new_s > _STALE_S:
            self.heading_rad = self.rate_rad_s = math.nan
            return
        if not news:
            return
        before = self.heading_rad
        step = 0.0 if self._yaw is None else math.remainder(yaw_rad - self._yaw, math.tau)
        self.heading_rad = (self._total if self._yaw is not None else yaw_rad) + step
        passed_s = (stamp_ns - self._stamp_ns) / 1e9 if stamp_ns and self._stamp_ns else now_s - self._new_s
        self.rate_rad_s = step / passed_s if passed_s > 0 and not math.isnan(before) else math.nan
        self._yaw, self._total, self._stamp_ns, self._new_s = yaw_rad, self.heading_rad, stamp_ns, now_s
