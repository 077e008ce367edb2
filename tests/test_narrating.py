"""What is narrated: new before old, near before far, never too often, and nothing where nothing changed."""
from __future__ import annotations

from dataclasses import replace

import pytest

from dam_ros.core.narrating import Narrating, things_of
from dam_ros.core.present_labels import PresentLabels
from dam_ros.core.speech_settings import SpeechSettings

A, B, C = 0x0123456789abcdef, 0xfedcba9876543210, 0x5555555555555555
A_NOISY = A ^ 0b1011   # three bits


class Scene:
    """A camera, a clock, and a describer that is done at once. `described`: labels, in order. `tells`: in time."""

    tells = True

    def __init__(self, **settings):
        self.settings = replace(SpeechSettings(), **{'narrate': 'new', 'narrate_every_s': 5.0, **settings})
        self.now = 100.0
        self.present = PresentLabels()
        self.narrating = Narrating(lambda: self.settings, self.present)
        self.described: list[int] = []
        self.times: list[float] = []

    def see(self, labels, for_s: float = 0.0, may: bool = True, camera: str = '', engine_s: float = 0.1, **columns):
        """Time passes with these labels in the picture, and what is chosen is described."""
        for _ in range(max(round(for_s / 0.5), 1)):
            things = things_of(labels, *(columns.get(name, ()) for name in ('areas', 'distances', 'looks')))
            self.present.saw(camera, 0, things)
            self.narrating.saw(self.now, camera)
            choice = self.narrating.next(self.now, may)
            if choice is not None:
                self.described.append(choice.labels[0])
                self.times.append(self.now)
                self.narrating.ended(self.now + engine_s, choice.labels[0], engine_s)
                if self.tells:
                    self.narrating.told(self.now + engine_s, camera, choice.labels[0])
            self.now += 0.5
        return self.described


def test_off_describes_nothing():
    assert Scene(narrate='off').see([1, 2], 60.0) == []


def test_each_new_label_once():
    scene = Scene()
    assert sorted(scene.see([1, 2], 60.0)) == [1, 2]
    assert scene.see([1, 2, 3], 60.0)[2:] == [3]


def test_near_before_far():
    assert Scene().see([1, 2, 3], 30.0, distances=(3.0, 1.0, 2.0)) == [2, 3, 1]


def test_large_before_small_where_the_distance_is_unknown_or_the_same():
    nan = float('nan')
    assert Scene().see([1, 2, 3], 30.0, areas=(0.1, 0.3, 0.2), distances=(nan, nan, nan)) == [2, 3, 1]


def test_what_has_a_distance_goes_before_what_has_none():
    assert Scene().see([1, 2], 30.0, distances=(float('nan'), 9.0), areas=(0.5, 0.1)) == [2, 1]


def test_at_most_one_in_narrate_every_s():
    scene = Scene(narrate_every_s=5.0)
    scene.see(range(1, 20), 60.0)
    gaps = [after - before for before, after in zip(scene.times, scene.times[1:])]
    assert len(gaps) >= 8 and min(gaps) >= 5.0


def test_at_most_narrate_share_of_the_describers_time():
    scene = Scene(narrate_every_s=0.5, narrate_share=0.25)
    scene.see(range(1, 100), 120.0, engine_s=4.0)
    assert len(scene.times) * 4.0 <= 0.25 * 120.0 + 4.0
    assert len(scene.times) >= 6


def test_none_while_a_person_asks():
    scene = Scene()
    assert scene.see([1, 2], 30.0, may=False) == []
    assert scene.see([1, 2], 30.0) == [1, 2]


def test_only_one_at_a_time():
    scene = Scene()
    scene.present.saw('', 0, things_of([1, 2], (), (), ()))
    assert scene.narrating.next(scene.now, True) is not None
    assert scene.narrating.next(scene.now + 60.0, True) is None


def test_what_could_not_be_described_is_tried_again_later():
    scene = Scene(narrate_every_s=5.0)
    scene.present.saw('', 0, things_of([1], (), (), ()))
    scene.narrating.next(scene.now, True)
    scene.narrating.ended(scene.now, None, 0.0)
    assert scene.narrating.next(scene.now + 4.9, True) is None
    assert scene.narrating.next(scene.now + 5.1, True) is not None


def test_what_came_too_late_is_tried_again_ever_more_seldom_until_it_is_told():
    """With a describer that is slower than stale_after_s it would else be never or without end."""
    scene = Scene(narrate_every_s=1.0)
    scene.tells = False
    scene.see([1], 100.0)
    gaps = [after - before for before, after in zip(scene.times, scene.times[1:])]
    assert gaps == pytest.approx([10.5, 20.5, 40.5], abs=0.5) and scene.narrating.untold == 4
    scene.tells = True
    scene.see([1], 600.0)
    assert len(scene.times) == 5 and scene.narrating.untold == 0


def test_what_was_never_told_does_not_make_another_label_known():
    scene = Scene()
    scene.tells = False
    scene.see([1], 5.0, looks=(A,))
    assert scene.see([7], 5.0, looks=(A_NOISY,)) == [1, 7]


def test_what_was_told_because_a_person_asked_is_not_new():
    scene = Scene()
    scene.present.saw('', 0, things_of([1], (), (), ()))
    scene.narrating.told(scene.now, '', 1)
    assert scene.see([1, 2], 60.0) == [2]


def test_nothing_where_nothing_changed_and_again_where_it_did():
    scene = Scene(narrate='all')
    assert scene.see([1], 60.0, looks=(A,)) == [1]
    assert scene.see([1], 60.0, looks=(A_NOISY,)) == [1]
    assert scene.see([1], 60.0, looks=(B,)) == [1, 1]


def test_new_does_not_tell_of_changes():
    scene = Scene(narrate='new')
    scene.see([1], 10.0, looks=(A,))
    assert scene.see([1], 60.0, looks=(B,)) == [1]


def test_a_thing_that_only_got_another_label_is_not_new():
    scene = Scene()
    scene.see([1], 10.0, looks=(A,))
    assert scene.see([7], 20.0, looks=(A_NOISY,)) == [1]


def test_two_alike_are_two_things():
    scene = Scene()
    scene.see([1], 10.0, looks=(A,))
    assert scene.see([1, 2], 20.0, looks=(A, A_NOISY)) == [1, 2]


def test_another_thing_under_a_new_label_is_new():
    scene = Scene()
    scene.see([1], 10.0, looks=(A,))
    assert scene.see([7], 20.0, looks=(C,)) == [1, 7]


def test_a_label_that_flickers_is_not_new_and_one_that_was_long_away_is():
    scene = Scene()
    scene.see([1], 10.0)
    scene.see([], 5.0)
    assert scene.see([1], 10.0) == [1]
    scene.see([], 40.0)
    assert scene.see([1], 10.0) == [1, 1]


def test_cameras_take_turns():
    scene = Scene(narrate_every_s=1.0)
    for _ in range(4):
        for camera in ('front', 'rear'):
            scene.present.saw(camera, 0, things_of([1, 2], (), (), ()))
        choice = scene.narrating.next(scene.now, True)
        scene.described.append((choice.camera, choice.labels[0]))
        scene.narrating.ended(scene.now, choice.labels[0], 0.1)
        scene.narrating.told(scene.now, *scene.described[-1])
        scene.now += 2.0
    assert [camera for camera, _ in scene.described] == ['front', 'rear', 'front', 'rear']


@pytest.mark.parametrize(('mode', 'reduced'), [('all', 'new'), ('new', 'off'), ('off', 'off')])
def test_on_a_low_battery_narration_is_reduced(mode, reduced):
    scene = Scene(narrate=mode)
    assert scene.narrating.mode == mode
    scene.narrating.low_battery = True
    assert scene.narrating.mode == reduced


def test_lists_that_do_not_fit_the_labels_are_not_known():
    things = things_of([1, 2], [0.5], [], [A, B])
    assert [thing.appearance for thing in things] == [A, B]
    assert all(thing.area_fraction != thing.area_fraction for thing in things)
