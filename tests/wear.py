"""What use leaves behind in describe_node: rounds of requests of every kind, before and after. See `worn_by`."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ros_graph import Camera, Served, box, grey, picture, script

from dam_ros.msg import ErrorCode, Region

MOST_MB, MOST_SHARE = 3.0, 0.01


@dataclass(frozen=True)
class Wear:
    """Threads and files exactly; memory is RssAnon of node and worker together, in MB."""

    threads: int
    files: int
    memory_mb: float

    def grown(self, before: Wear) -> str:
        """What is more than before and must not be, in words; '' = nothing."""
        most_mb = max(MOST_MB, MOST_SHARE * before.memory_mb)
        found = []
        if (self.threads, self.files) != (before.threads, before.files):
            found.append(f'threads and files {before.threads}, {before.files} -> {self.threads}, {self.files}')
        if self.memory_mb > before.memory_mb + most_mb:
            found.append(f'memory {before.memory_mb:.1f} -> {self.memory_mb:.1f} MB, allowed {most_mb:.1f} more')
        return '; '.join(found)


def wear_of(served: Served) -> Wear:
    return Wear(*served.footprint(), served.memory_mb())


def one_round(served: Served, camera: Camera) -> int:
    """Good and bad requests of every kind; returns how many."""
    camera.label(camera.show(width=320, height=240), np.repeat(np.array([[1, 2]], np.uint8), 160, 1).repeat(240, 0))
    big = picture(320, 240)
    mask = Region(mask=grey(np.ones((240, 320), np.uint8)))
    calls = [served.begin(image=big), served.begin(image=big, region=mask, return_mask=True), served.begin(),
             served.begin(region=Region(labels=[1])), served.begin(region=box(10, 10, 50, 60, box_is_region=False)),
             served.begin(image=big, region=box(900, 900, 1, 1)), served.begin(image=big, speak=1),
             served.begin(timeout_s=-1.0), served.begin(image=big, query=script(fail='raise')),
             served.begin(image=big, query=script(words_per_s=1.0), timeout_s=0.05)]
    goals = [served.goal(image=big), served.goal(about='nobody'), served.scene_goal()]
    served.until(lambda: all(one.done() for one in calls) and all(one.result for one in goals))
    again = served.describe(about=calls[0].result().description.id, query='And?')
    assert again.error_code in (ErrorCode.NONE, ErrorCode.UNKNOWN_DESCRIPTION)
    assert {one.result().error_code for one in calls} >= {ErrorCode.NONE, ErrorCode.INVALID_REQUEST}
    served.descriptions.clear()
    served.partials.clear()
    served.texts.clear()
    return len(calls) + len(goals) + 1


def use(served: Served, camera: Camera, rounds: int) -> int:
    return sum(one_round(served, camera) for _ in range(rounds))
