"""What the demo leaves: descriptions.json, a picture per photo, a WAV per spoken text, and a page that shows them."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field
import html
import json
import math
from pathlib import Path
import wave

import cv2
import numpy as np

from dam_ros.core.errors import invalid
from dam_ros.demo.plan import Photo
from dam_ros.demo.table import counted
from dam_ros.drawing.marks import Mark
from dam_ros.drawing.pages import annotate

JSON_FILE, PAGE = 'descriptions.json', 'index.html'


@dataclass
class Row:
    """One region, as it is in descriptions.json. An `error` that is not '' means that there is no description.

    Attributes:
        box: [left, top, width, height] in px of `image_size`, the picture as it was described.
        picture, wav: file names in the folder, '' = none.
        milliseconds: from the call to the answer, as the caller saw it.
        confidence: 0..1, None where it was not estimated.
    """

    photo: str
    photo_title: str
    region: str
    label: int | None
    text: str = ''
    brief: str = ''
    box: list[int] = field(default_factory=list)
    area_fraction: float = 0.0
    image_size: list[int] = field(default_factory=list)
    describer: str = ''
    model: str = ''
    milliseconds: float = 0.0
    confidence: float | None = None
    truncated: bool = False
    abstained: bool = False
    id: str = ''
    stamp: float = 0.0
    picture: str = ''
    wav: str = ''
    error: str = ''


class Folder:
    """The output folder. What an earlier run left in it, and only that, is removed first."""

    def __init__(self, path: Path):
        """Raises InvalidRequest where the folder cannot be made or written."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._remove_earlier()
            (path / '.writable').touch()
            (path / '.writable').unlink()
        except OSError as error:
            raise invalid('--out', str(path), f'a folder that can be written ({error.strerror or error})') from error

    def keep_wav(self, source: Path, name: str) -> str:
        """Moves a WAV into the folder. Returns its name, '' where the file has no sound in it."""
        if not has_sound(source):
            return ''
        (self.path / f'{name}.wav').write_bytes(source.read_bytes())
        source.unlink()
        return f'{name}.wav'

    def draw(self, photo: Photo, image: np.ndarray, rows: list[Row], masks: list[np.ndarray | None]) -> str:
        """The annotated picture of one photo. Returns its file name."""
        marks = [Mark(mask, row.region, row.brief) for row, mask in zip(rows, masks) if mask is not None]
        name = f'{photo.path.stem}.described.jpg'
        drawn = cv2.cvtColor(annotate(image, marks), cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(self.path / name), drawn, [cv2.IMWRITE_JPEG_QUALITY, 90]):
            raise invalid('--out', str(self.path / name), 'a file that can be written')
        return name

    def write(self, rows: list[Row], photos: list[Photo], note: str) -> None:
        """The list and the page. `note`: one sentence on what is missing, '' = nothing."""
        listed = json.dumps([_plain(row) for row in rows], ensure_ascii=False, indent=2)
        (self.path / JSON_FILE).write_text(listed + '\n', encoding='utf-8')
        (self.path / PAGE).write_text(page(rows, photos, note), encoding='utf-8')

    def _remove_earlier(self) -> None:
        listed = self.path / JSON_FILE
        if not listed.is_file():
            return
        try:
            rows = json.loads(listed.read_text(encoding='utf-8'))
            names = {Path(row[key]).name for row in rows for key in ('picture', 'wav') if row.get(key)}
        except (ValueError, TypeError, AttributeError):
            return   # not ours
        for name in {*names, JSON_FILE, PAGE}:
            (self.path / name).unlink(missing_ok=True)


def has_sound(path: Path) -> bool:
    """A whole WAV, a quarter second or longer, that is not silence."""
    try:
        with wave.open(str(path), 'rb') as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            return samples.size > file.getframerate() / 4 and float(np.abs(samples.astype(np.int32)).max()) > 500
    except (OSError, EOFError, wave.Error):
        return False


def page(rows: list[Row], photos: list[Photo], note: str) -> str:
    """index.html: relative links only, nothing from elsewhere."""
    who = ', '.join(sorted({f'{row.describer} {row.model}'.strip() for row in rows if row.describer}))
    parts = [_HEAD, f'<p>{counted(len(rows), "region")} of {counted(len(photos), "photograph")}, described by '
             f'{_text(who or "nobody")}.</p>']
    if note:
        parts.append(f'<p class="note" role="note">{_text(note)}</p>')
    for photo in photos:
        parts.append(_section(photo, [row for row in rows if row.photo == photo.path.name]))
    return '\n'.join([*parts, '</main>', '</body>', '</html>', ''])


def _section(photo: Photo, rows: list[Row]) -> str:
    if not rows:
        return ''
    picture = next((row.picture for row in rows if row.picture), '')
    alt = f'{photo.title}, with ' + ', '.join(f'{n} {row.region}' for n, row in enumerate(rows, 1)) + ' marked'
    lines = [f'<section aria-labelledby="{_id(photo)}">', f'<h2 id="{_id(photo)}">{_text(photo.title)}</h2>']
    if picture:
        credit = f'<figcaption>Photograph: {_text(photo.credit)}</figcaption>' if photo.credit else ''
        lines.append(f'<figure><img src="{_text(picture)}" alt="{_text(alt)}" loading="lazy">{credit}</figure>')
    lines.append('<ol>')
    lines += [_item(row) for row in rows]
    return '\n'.join([*lines, '</ol>', '</section>'])


def _item(row: Row) -> str:
    said = f'<p class="brief">{_text(row.brief)}</p><p>{_text(row.text)}</p>' if not row.error else \
        f'<p class="note">No description: {_text(row.error)}</p>'
    sound = f'<audio controls preload="none" src="{_text(row.wav)}" aria-label="{_text(row.region)}, spoken"></audio>' \
        if row.wav else ''
    return f'<li><h3>{_text(row.region)}</h3>{said}{sound}<p class="small">{row.milliseconds:.0f} ms</p></li>'


def _id(photo: Photo) -> str:
    return 'p-' + ''.join(one if one.isalnum() else '-' for one in photo.path.stem)


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _plain(row: Row) -> dict:
    """NaN is no JSON."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in asdict(row).items()}


_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What was seen: descriptions of regions</title>
<style>
body { font: 1.05rem/1.5 system-ui, sans-serif; margin: 0; color: #1b1b1f; background: #fafafa; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
section { margin: 2rem 0; padding: 1rem; background: #fff; border: 1px solid #d5d5da; border-radius: .5rem; }
img { max-width: 100%; height: auto; display: block; }
figure { margin: 0; } figcaption, .small { color: #55555c; font-size: .85rem; }
h3 { margin: .8rem 0 0; } p { margin: .2rem 0; } .brief { font-weight: 600; }
.note { background: #fff3cd; padding: .5rem; }
@media (prefers-color-scheme: dark) {
  body { background: #18181c; color: #ececf0; } section { background: #222228; border-color: #44444c; }
  figcaption, .small { color: #b5b5bd; } .note { background: #4a3f10; }
}
</style>
</head>
<body>
<main>
<h1>What was seen</h1>"""
