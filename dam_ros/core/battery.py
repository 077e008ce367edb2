"""Whether the battery is low, told once in each direction. It does not know what is done about it."""
from __future__ import annotations

import math

_BACK = 0.05   # so far above the threshold it is no longer low: a load that ends lifts the voltage


class Battery:
    """Attributes:
    charge: 0..1, NaN unknown.
    low: whether it is below the threshold.
    """

    def __init__(self):
        self.charge = math.nan
        self.low = False

    def read(self, charge: float, charging: bool, threshold: float) -> bool:
        """A new reading (0..1, NaN unknown). Returns whether `low` has changed."""
        self.charge = charge
        before = self.low
        if math.isnan(charge):   # nobody knows: it stays as it was
            return False
        if charging or charge > threshold + _BACK:
            self.low = False
        elif charge < threshold:
            self.low = True
        return self.low != before
