"""Which token comes next: the likeliest, or one drawn as the reference draws it (dam-spec 10)."""
from __future__ import annotations

import torch

from dam_ros.core.describing import Query

_COLDEST = 1e-6   # below, logits divided by it run over; it is greedy anyway


class Chooser:
    """For one text; all of it stays on the device of the logits.

    Args:
        default_top_k: where the query does not say it, 0 = no cut.
    """

    def __init__(self, query: Query, default_top_k: int, device: torch.device):
        self._temperature = query.temperature
        self._top_k = query.top_k or default_top_k
        self._top_p = query.top_p
        self._random = None
        if self._temperature > _COLDEST:
            self._random = torch.Generator(device)
            self._random.manual_seed(query.seed)

    @property
    def greedy(self) -> bool:
        return self._random is None

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The id, a tensor without dimensions, from float32 logits (V,)."""
        if self.greedy:
            return logits.argmax()
        # Where numbers ran over all are NaN: any id will do, its probability tells. Refused here it would be an
        # exception for all texts of the step, and on a GPU the end of the process.
        likely = self.kept(logits).softmax(0).nan_to_num(nan=1.0)
        return torch.multinomial(likely, 1, generator=self._random)[0]

    def kept(self, logits: torch.Tensor) -> torch.Tensor:
        """The scaled logits that may be drawn, -inf for the rest: temperature, then top-k, then top-p."""
        scores = logits / self._temperature
        if 0 < self._top_k < len(scores):
            least = scores.topk(self._top_k).values[-1]
            scores = scores.masked_fill(scores < least, -torch.inf)
        if self._top_p < 1:
            ordered, places = scores.sort()   # rising: the last is the likeliest, which always stays
            unlikely = ordered.softmax(0).cumsum(0) <= 1 - self._top_p
            unlikely[-1] = False
            scores = scores.masked_fill(torch.zeros_like(unlikely).scatter(0, places, unlikely), -torch.inf)
        return scores
