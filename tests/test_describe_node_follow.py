"""A region of one picture is followed through a clip by SAM 2 (tiny and random, in the real format), in the node."""
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
pytest.importorskip('dam_ros.msg', reason='needs the built package: ./dev test builds it')
pytest.importorskip('torch', reason='needs torch')
transformers = pytest.importorskip('transformers', reason='needs transformers')
if not hasattr(transformers, 'Sam2VideoModel'):
    pytest.skip('needs a transformers with SAM 2', allow_module_level=True)

from diagnostic_msgs.msg import DiagnosticStatus  # noqa: E402
from ros_graph import Camera, Served, serving  # noqa: E402
from ros_pictures import NS, as_bytes, box, picture, script, stamp_of, stamped  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
import tiny_sam  # noqa: E402

from dam_ros.msg import ErrorCode, Region  # noqa: E402

pytestmark = pytest.mark.ros
WORDS = 'Seen were {pictures} pictures, {pixels} inside.'
TENTH = NS // 10


@pytest.fixture(scope='module')
def served(tmp_path_factory: pytest.TempPathFactory):
    folder = tiny_sam.write(tmp_path_factory.mktemp('sam2'), 'sam2_video', seed=3)
    with serving(image_reliability='reliable', max_frame_age_s=60.0, segmenter='sam', segmenter_model=str(folder),
                 segmenter_device='cpu', describer_options=script(text=WORDS)) as node:
        yield node


@pytest.fixture(scope='module')
def newest(served: Served) -> int:
    """The stamp in ns of the last of five pictures at 10 Hz, which the node has."""
    camera = Camera(served)
    camera.connect()
    last = camera.show()
    for number in range(1, 5):
        pixels = np.full((48, 64, 3), 90, np.uint8)
        pixels[20:30, 5 * number:5 * number + 10] = (20, 30, 220)
        last = camera.show(last + TENTH, data=as_bytes(pixels))
    served.until(lambda: stamp_of(served.describe().description) == last)
    return last


@pytest.mark.parametrize('region', [
    box(20, 20, 10, 10), Region(polygon=[20.0, 20.0, 30.0, 20.0, 30.0, 30.0, 20.0, 30.0]), Region(points=[25.0, 25.0]),
    box(18, 18, 14, 14, box_is_region=False)], ids=['a box as it is', 'a polygon', 'a point', 'a box to cut out'])
def test_a_region_of_the_last_picture_is_enough_for_a_clip(served: Served, newest: int, region: Region):
    """What random weights follow it to is theirs; that the clip is looked at, ends there and is answered is ours."""
    stamp = stamped(Image(), newest).header.stamp
    answer = served.describe(stamp=stamp, clip_s=0.4, region=region, return_mask=True, id='clip', timeout_s=60.0)
    assert (answer.error_code, answer.error_msg) == (0, '')
    inside = np.count_nonzero(answer.mask.data)
    assert inside and answer.description.text.endswith(f' pictures, {inside} inside.')
    assert answer.description.text[len('Seen were ')] in '12345'
    assert stamp_of(answer.description) == newest
    again = served.describe(about='clip', query='And?', return_mask=True)
    assert again.error_code == 0 and np.count_nonzero(again.mask.data) == inside


def test_a_damaged_picture_in_a_clip_is_one_answer(served: Served, newest: int):
    camera = Camera(served)
    first = newest + NS
    camera.show(first), camera.show(first + TENTH, encoding='nonsense'), camera.show(first + 2 * TENTH)
    stamp = stamped(Image(), first + 2 * TENTH).header.stamp
    answer = served.describe(stamp=stamp, clip_s=0.2, region=box(20, 20, 10, 10), timeout_s=5.0)
    assert answer.error_code == ErrorCode.NO_FRAME and 'nonsense' in answer.error_msg
    assert served.describe(stamp=stamp, region=box(20, 20, 10, 10)).error_code == 0


def test_weights_that_are_missing_cost_only_who_needs_them():
    with serving(segmenter='sam', segmenter_model='nobody/no-such-sam') as node:
        assert node.describe(image=picture(), region=box(1, 2, 3, 4)).error_code == 0
        answer = node.describe(image=picture(), region=Region(points=[3.0, 4.0]))
        assert answer.error_code == ErrorCode.SEGMENTER_FAILED and 'nobody/no-such-sam' in answer.error_msg
        assert 'nobody/no-such-sam' in node.log()
        node.until(lambda: 'nobody/no-such-sam' in node.status['segmenter'].message)
        assert node.status['segmenter'].level == DiagnosticStatus.WARN
