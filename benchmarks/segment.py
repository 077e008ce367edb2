"""How much of a thing a segmenter finds: IoU with the hand-made masks of examples/photos, and how long it takes.

    ./dev bench segment [--segmenter grabcut|sam] [--model FOLDER] [--device cpu] [--quick]

Each region is pointed at in five ways, all made of its mask: its bounding box, that box drawn 10 % too large and 5 %
too small, the point deepest in it, and a point anywhere well inside it. The worst go into docs/pictures/.
"""
from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import time

import cv2
import numpy as np
from report import Fact, machine, Result, RESULTS, ROOT, Row, tell, Times, Unequal

from dam_ros import segmenters
from dam_ros.core.errors import SegmenterFailed
from dam_ros.core.segmenting import Prompt, Segmenter

PHOTOS, PICTURES = ROOT / 'examples' / 'photos', ROOT / 'docs' / 'pictures'
WAYS = {'box': 'its box', 'box_large': 'box 10 % larger', 'box_small': 'box 5 % smaller', 'point': 'deepest point',
        'point_any': 'any point'}
LEAST = {'box': 0.75, 'point': 0.5}   # mean IoU that is wanted
MOST_S = 1.0                          # of twelve megapixels
WORST = 3                             # pictures
REGIONS = 'segment-regions'           # what the document calls the table of all regions
_SIDE_PX = 640
_FOUND, _TRUTH = (0, 140, 255), (255, 255, 255)   # BGR of contours


@dataclass(frozen=True)
class Region:
    photo: str
    name: str
    image: np.ndarray
    mask: np.ndarray

    def prompts(self) -> dict[str, Prompt]:
        """One for each of WAYS."""
        return {'box': Prompt(box=self._box(1.0)), 'box_large': Prompt(box=self._box(1.1)),
                'box_small': Prompt(box=self._box(0.95)), 'point': Prompt(inside=(self._deepest(),)),
                'point_any': Prompt(inside=(self._any(),))}

    def _box(self, scale: float) -> tuple[int, int, int, int]:
        edges = []
        for axis, size in ((0, self.mask.shape[1]), (1, self.mask.shape[0])):
            at = np.flatnonzero(self.mask.any(axis))
            middle, half = (at[0] + at[-1] + 1) / 2, scale * (at[-1] + 1 - at[0]) / 2
            edges.append((max(0, round(middle - half)), min(size, round(middle + half))))
        return edges[0][0], edges[1][0], edges[0][1], edges[1][1]

    def _depth(self) -> np.ndarray:
        return cv2.distanceTransform(np.pad(self.mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]

    def _deepest(self) -> tuple[float, float]:
        depth = self._depth()
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return float(column), float(row)

    def _any(self) -> tuple[float, float]:
        """A pixel at least a third as deep as the deepest, by lot, which falls the same each time."""
        depth = self._depth()
        rows, columns = np.nonzero(depth >= depth.max() / 3)
        lot = np.random.default_rng(len(rows)).integers(len(rows))
        return float(columns[lot]), float(rows[lot])


@dataclass(frozen=True)
class Score:
    """IoU by way; `seconds` likewise."""

    photo: str
    region: str
    iou: dict[str, float]
    seconds: dict[str, float]


def regions(photos: int | None = None) -> Iterator[Region]:
    """Of the first so many photographs, or of all."""
    held = json.loads((PHOTOS / 'photos.json').read_text(encoding='utf-8'))
    for name in sorted(held)[:photos]:
        image = cv2.cvtColor(cv2.imread(str(PHOTOS / held[name]['file'])), cv2.COLOR_BGR2RGB)
        labels = cv2.imread(str(PHOTOS / held[name]['labels']), cv2.IMREAD_UNCHANGED)
        for value, what in held[name]['regions'].items():
            yield Region(name, what, image, labels == int(value))


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


def found_by(segmenter: Segmenter, image: np.ndarray, prompt: Prompt) -> np.ndarray:
    """Its mask; nothing where it found nothing."""
    try:
        return segmenter.cut_out(image, prompt)
    except SegmenterFailed:
        return np.zeros(image.shape[:2], bool)


def score(segmenter: Segmenter, region: Region) -> Score:
    found, took = {}, {}
    for way, prompt in region.prompts().items():
        begun = time.perf_counter()
        mask = found_by(segmenter, region.image, prompt)
        took[way], found[way] = time.perf_counter() - begun, iou(mask, region.mask)
    return Score(region.photo, region.name, found, took)


def large(segmenter: Segmenter, region: Region, rounds: int) -> dict[str, list[float]]:
    """s of `rounds` calls on the picture in twelve megapixels, by way. Raises Unequal where two masks differ."""
    image = cv2.resize(region.image, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(region.mask.astype(np.uint8), (4000, 3000), interpolation=cv2.INTER_NEAREST) > 0
    prompts = Region(region.photo, region.name, image, mask).prompts()
    took = {}
    for way in ('box', 'point'):
        masks, took[way] = [], []
        for _ in range(rounds):
            begun = time.perf_counter()
            masks.append(found_by(segmenter, image, prompts[way]))
            took[way].append(time.perf_counter() - begun)
        if not all(np.array_equal(masks[0], one) for one in masks):
            raise Unequal(f'{segmenter.name} finds another mask in the same picture')
    return took


def result_of(asked, scores: Sequence[Score], took: dict[str, list[float]]) -> Result:
    means = {way: float(np.mean([one.iou[way] for one in scores])) for way in WAYS}
    rows = [Row(f'examples/photos, {WAYS[way]}', Times.of([one.seconds[way] for one in scores])) for way in
            ('box', 'point')]
    rows += [Row(f'twelve megapixels, {WAYS[way]}', Times.of(times)) for way, times in took.items()]
    facts = [Fact(f'mean IoU of {len(scores)} regions: {WAYS[way]}', mean, least=LEAST.get(way) if asked.segmenter ==
                  'grabcut' else None) for way, mean in means.items()]
    facts += [Fact(f'slowest of twelve megapixels, {WAYS[way]}', max(times), 's', most=MOST_S) for way, times in
              took.items()]
    return Result('segment', asked.segmenter, quick=asked.quick, rows=rows, facts=facts, machine=machine(),
                  equal=['the same picture and prompt give the same mask each time'])


# -- all regions, and pictures of the worst ---------------------------------------------------------------------------

def worst(scores: Sequence[Score], way: str = 'box') -> list[Score]:
    return sorted(scores, key=lambda one: one.iou[way])[:WORST]


def draw(region: Region, found: np.ndarray) -> np.ndarray:
    """BGR, the outline by hand in white and what was found in orange, at most _SIDE_PX wide."""
    scale = min(1.0, _SIDE_PX / region.image.shape[1])
    picture = cv2.resize(region.image[:, :, ::-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for mask, colour in ((region.mask, _TRUTH), (found, _FOUND)):
        small = cv2.resize(mask.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, (0, 0, 0), 4)
        cv2.drawContours(picture, outlines, -1, colour, 2)
    return picture


def keep(segmenter: Segmenter, scores: Sequence[Score], folder: Path, pictures: Path | None) -> None:
    """All regions as JSON, and pictures of the worst by box and by point."""
    named = {(one.photo, one.name): one for one in regions()} if pictures else {}
    shown = []
    for way in LEAST:
        for number, one in enumerate(worst(scores, way) if pictures else (), 1):
            region, name = named[one.photo, one.region], f'segmenter_{way}_{number}.jpg'
            pictures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(pictures / name), draw(region, found_by(segmenter, region.image, region.prompts()[way])),
                        [cv2.IMWRITE_JPEG_QUALITY, 80])
            shown.append({'picture': name, 'way': way, 'photo': one.photo, 'region': one.region, 'iou': one.iou[way]})
    held = {'what': REGIONS, 'segmenter': segmenter.name, 'regions': [asdict(one) for one in scores], 'worst': shown}
    text = json.dumps(held, indent=1, default=float)
    (folder / f'{REGIONS}-{segmenter.name}.json').write_text(text + '\n', encoding='utf-8')


def section(path: Path) -> str:
    """The file of `keep` as Markdown: the worst with pictures, then all regions."""
    held = json.loads(path.read_text(encoding='utf-8'))
    lines = []
    for one in held['worst']:
        words = f'{one["photo"]}: {one["region"]}, {WAYS[one["way"]]}: IoU {one["iou"]:.2f}'
        lines += [f'![{words}](pictures/{one["picture"]})', '', f'*{words}*', '']
    lines += ['| photograph | region | ' + ' | '.join(WAYS.values()) + ' |', '|---|---|' + '---:|' * len(WAYS)]
    for one in held['regions']:
        found = ' | '.join(f'{one["iou"][way]:.2f}' for way in WAYS)
        lines.append(f'| {one["photo"]} | {one["region"]} | {found} |')
    means = ' | '.join(f'**{np.mean([one["iou"][way] for one in held["regions"]]):.2f}**' for way in WAYS)
    lines.append(f'| **mean** | {len(held["regions"])} regions | {means} |')
    return '\n'.join(lines) + '\n'


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='segment', description=__doc__.splitlines()[0])
    parser.add_argument('--segmenter', default='grabcut', choices=[one for one in segmenters.NAMES if one not in
                                                                   ('auto', 'none')])
    parser.add_argument('--model', default='', help='weights of sam: hub id or folder')
    parser.add_argument('--device', default='auto', help='of sam')
    parser.add_argument('--quick', action='store_true', help='two photographs: only to see that it works')
    parser.add_argument('--out', type=Path, default=RESULTS, help='folder of the result')
    asked = parser.parse_args(argv)
    segmenter = segmenters.create(asked.segmenter, asked.model, asked.device)
    chosen = list(regions(2 if asked.quick else None))
    scores = [score(segmenter, one) for one in chosen]
    result = result_of(asked, scores, large(segmenter, chosen[0], 2 if asked.quick else 7))
    tell(result, asked.out)
    if not asked.quick:
        keep(segmenter, scores, asked.out, PICTURES if asked.out == RESULTS and asked.segmenter == 'grabcut' else None)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
