"""A tiny checkpoint to damage, and what must come of it: one line that says what is wrong, and the next one loads."""
from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import re
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from tiny_dam import checkpoint

from dam_ros import describers
from dam_ros.core.describing import Query, Subject, tell
from dam_ros.core.errors import DescriberFailed

TINIEST = {'side_px': 28, 'vision_layers': 2, 'vision_hidden': 16, 'vision_mlp': 16, 'hidden': 16, 'mlp': 16,
           'heads': 4, 'kv_heads': 2, 'layers': 1, 'vocabulary': 500}
PARTS = ('vision_tower', 'context_provider', 'mm_projector', 'llm')
LLM, TOWER = 'llm/model.safetensors', 'vision_tower/model.safetensors'


def create(folder: Path, **options):
    return describers.create('dam', {'model': str(folder), 'device': 'cpu', **options})


def say(describer, most: int = 3) -> list[int]:
    """Token ids about a grey picture with a lighter block."""
    image = np.full((20, 24, 3), 90, np.uint8)
    mask = np.zeros((20, 24), bool)
    mask[3:9, 4:9] = True
    image[mask] = 200
    look, = describer.look([Subject(((image, mask),))])
    return [id for piece in tell(describer, look, Query(max_tokens=most)) for id in piece.token_ids]


def refused(folder: Path, **options) -> str:
    """The complaint, which is one line in words; a good checkpoint loads after it."""
    with pytest.raises(DescriberFailed) as caught:
        create(folder, **options)
    message = str(caught.value)
    assert '\n' not in message and len(message) < 1500
    assert not re.search(r'could not be made|(Key|Type|Value|Attribute|Runtime|Index)Error', message), message
    assert say(create(checkpoint(**TINIEST)))
    return message


def edit(path: Path, change: Callable[[dict], object]) -> None:
    """Changes the tensors of a safetensors file, or the values of a JSON file."""
    if path.suffix == '.json':
        values = json.loads(path.read_text())
        path.write_text(json.dumps(values if (made := change(values)) is None else made))
        return
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {'format': 'pt'})


def copied(folder: Path, **sizes) -> Path:
    """A tiniest checkpoint of its own, to damage."""
    return shutil.copytree(checkpoint(**{**TINIEST, **sizes}), folder)
