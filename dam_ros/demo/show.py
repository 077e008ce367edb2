"""The course of the demo: start, describe, speak, write, end. It decides what counts as success."""
from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
import math
from pathlib import Path
import shutil

from dam_ros import describers
from dam_ros.core.errors import Failure, invalid, NoVoice
from dam_ros.core.files import read_picture
from dam_ros.core.playing import narrowed
from dam_ros.demo.client import Answer, Client, Late, spoken_file
from dam_ros.demo.graph import Graph, NodeDied
from dam_ros.demo.plan import bundled, LABEL_SUFFIX, Part, Photo, plan_folder, plan_image
from dam_ros.demo.report import Folder, JSON_FILE, Row
from dam_ros.demo.table import counted, Table

_RATE_HZ = 5.0   # of the player: a new picture is there at once, and a small machine is not kept busy


class Bad(Exception):
    """The input is at fault."""


class Failed(Exception):
    """Not every region was described, or a file is not what it should be."""


def run(asked: Namespace, check: Callable[[], None], max_width_px: int) -> None:
    """Raises Bad, Failed, or what `check` raises."""
    try:
        photos, source = _plan(asked)
        name, why = describers.resolve(asked.describer, asked.model)
        if not 0.05 <= asked.timeout <= 600:
            raise invalid('--timeout', asked.timeout, '0.05 to 600 (s)')
        out = Folder(Path(asked.out))
    except Failure as failure:
        raise Bad(str(failure)) from failure
    regions = sum(len(photo.parts) for photo in photos)
    print(f'{counted(regions, "region")} of {counted(len(photos), "photograph")}; {why}', flush=True)
    check()
    graph = Graph()
    try:
        Show(asked, check, out, graph, photos).run(name, source, max_width_px)
    except NodeDied as died:
        raise Failed(str(died)) from died
    except Late as late:
        words = ' '.join(f'{node}: {graph.last_words(node)}.' for node in graph.names)
        raise Failed(f'{late}. Last words: {words}') from late
    except Failure as failure:
        raise Failed(str(failure)) from failure
    finally:
        print('ending the nodes ...', flush=True)
        for forced in graph.stop():
            print(f'had to be killed: {forced}', flush=True)


def _plan(asked: Namespace) -> tuple[list[Photo], Path]:
    """What is described, and what the player plays. Raises Failure."""
    if asked.image:
        if asked.photos:
            raise invalid('--image', asked.image, 'not together with --photos')
        path = Path(asked.image).resolve()
        return plan_image(path, tuple(asked.box) if asked.box else None), path
    if asked.box:
        raise invalid('--box', asked.box, 'together with --image FILE')
    folder = Path(asked.photos).resolve() if asked.photos else bundled('examples/photos')
    return plan_folder(folder), folder


class Show:
    """One run, between the start of the nodes and their end."""

    def __init__(self, asked: Namespace, check: Callable[[], None], out: Folder, graph: Graph, photos: list[Photo]):
        self._asked, self._check, self._out, self._graph, self._photos = asked, check, out, graph, photos
        self._rows: list[Row] = []
        self._table = Table()
        self._speech, self._heard = not asked.no_speech, False   # wanted, and seen to work
        self._note = 'Without speech, as asked.' if asked.no_speech else ''
        self._wavs = graph.folder / 'wav'

    def run(self, describer: str, source: Path, max_width_px: int) -> None:
        """Raises NodeDied, Late, Failed, or what `check` raises."""
        how = self._graph.start(self._parameters(describer, source, max_width_px))
        print(f'started {how} (ROS domain {self._graph.domain}, namespace {self._graph.namespace})', flush=True)
        client = Client(self._graph.namespace, self._look_around, self._asked.timeout)
        try:
            self._wait(client)
            self._table.head()
            for number, photo in enumerate(self._photos, 1):
                print(f'[{number}/{len(self._photos)}] {photo.title}', flush=True)
                self._describe(client, photo, max_width_px)
        finally:
            client.close()
        self._out.write(self._rows, self._photos, self._note)
        self._judge()

    def _parameters(self, describer: str, source: Path, max_width_px: int) -> dict[str, dict]:
        wanted = {
            'player_node': {'source': str(source), 'dwell_s': 0.0, 'rate_hz': _RATE_HZ, 'max_width_px': max_width_px,
                            'label_suffix': LABEL_SUFFIX},
            'describe_node': {'describer': describer, 'model': self._asked.model, 'frame_wait_s': 10.0,
                              'sight_frozen_s': 0.0},   # photographs are
        }
        if self._speech:
            self._wavs.mkdir()
            wanted['speech_node'] = {'voice': 'wav', 'wav_mode': 'files', 'wav_dir': str(self._wavs),
                                     'greeting': 'never', 'announce_sight': False}
        return wanted

    def _look_around(self) -> None:
        """While something is awaited."""
        self._check()
        self._graph.check('player_node', 'describe_node', 'ros2 launch', *(['speech_node'] if self._heard else []))

    def _wait(self, client: Client) -> None:
        print('waiting for the nodes ...', flush=True)
        client.wait_for_nodes()
        if self._speech:
            self._wait_for_speech(client)
        print('loading the describer ...', flush=True)
        trouble = client.load()
        if trouble:
            raise Failed(f'the describer cannot be used: {trouble}')

    def _wait_for_speech(self, client: Client) -> None:
        try:
            client.wait_for_speech(lambda: self._graph.check('speech_node'))
            self._heard = True
        except (NodeDied, Late) as error:
            if shutil.which('espeak-ng') or shutil.which('espeak'):
                raise
            self._no_speech(str(error))

    def _no_speech(self, why: str) -> None:
        self._speech, self._heard, self._note = False, False, f'Without speech: no voice works here. {why}'
        print(self._note, flush=True)

    def _describe(self, client: Client, photo: Photo, max_width_px: int) -> None:
        since = client.show(photo)
        rows, masks = [], []
        for part in photo.parts:
            answer = client.describe(photo, part, since)
            row = _row(photo, part, answer)
            self._table.row(part.title, row.brief, row.text or f'({row.error})', f'{row.milliseconds:.0f}')
            if self._speech and not row.error:
                self._speak(client, row)
            rows.append(row)
            masks.append(answer.mask)
        picture = self._out.draw(photo, narrowed(read_picture(photo.path), max_width_px), rows, masks)
        for row in rows:
            row.picture = picture
        self._rows += rows

    def _speak(self, client: Client, row: Row) -> None:
        request, code, message = client.say(row.text, row.id)
        if code == NoVoice.code:
            self._no_speech(message)
        elif code:
            row.error = f'not spoken, {code}: {message}'
        else:
            file = spoken_file(self._wavs, request)
            name = f'{Path(row.photo).stem}-{row.label if row.label is not None else "picture"}'
            row.wav = self._out.keep_wav(file, name) if file else ''
            row.error = '' if row.wav else 'the WAV of its text has no sound in it'

    def _judge(self) -> None:
        """Raises Failed unless every region got an answer and every file is there and real."""
        wrong = [f'{row.photo}, {row.region}: {row.error}' for row in self._rows if row.error]
        wrong += [f'{row.photo}, {row.region}: no text' for row in self._rows if not row.error and not row.text]
        files = {row.picture for row in self._rows} | {row.wav for row in self._rows if row.wav}
        wrong += [f'{name} is missing' for name in files if not (self._out.path / name).is_file()]
        if wrong:
            raise Failed(f'{len(wrong)} of {len(self._rows)} went wrong: ' + '; '.join(wrong[:5]))
        spoken = sum(1 for row in self._rows if row.wav)
        print(f'{counted(len(self._rows), "description")} in {self._out.path / JSON_FILE}, {spoken} of them spoken',
              flush=True)


def _row(photo: Photo, part: Part, answer: Answer) -> Row:
    row = Row(photo.path.name, photo.title, part.title, part.label, milliseconds=round(answer.milliseconds, 1),
              error=answer.error)
    if answer.error or answer.description is None:
        return row
    one = answer.description
    row.text, row.brief, row.describer, row.model, row.id = one.text, one.brief, one.describer, one.model, one.id
    row.box = [one.box.x_offset, one.box.y_offset, one.box.width, one.box.height]
    row.area_fraction, row.truncated, row.abstained = round(one.area_fraction, 6), one.truncated, one.abstained
    row.image_size = [answer.mask.shape[1], answer.mask.shape[0]]
    row.confidence = round(one.confidence, 4) if math.isfinite(one.confidence) else None
    row.stamp = one.header.stamp.sec + one.header.stamp.nanosec / 1e9
    return row
