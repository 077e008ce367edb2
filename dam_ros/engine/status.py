"""What an engine is made with, and what it says of itself. No thread, no process."""
from __future__ import annotations

from dataclasses import dataclass

_TYPICAL_S = 1.0            # of a request, before the first one has been timed


@dataclass(frozen=True)
class Options:
    """What the engine and its worker are made with; the fields are those of DescribeSettings."""

    describer: str
    describer_options: dict
    segmenter: str = 'grabcut'
    segmenter_model: str = ''
    segmenter_device: str = 'auto'
    box_fallback: bool = False
    reader: str = 'auto'
    reader_languages: str = ''
    looks: int = 8
    queue: int = 16
    worker_python: str = ''
    stop_grace_s: float = 5.0
    load_timeout_s: float = 300.0
    looks_mb: float = 1024.0
    idle_unload_s: float = 0.0


@dataclass(frozen=True)
class Status:
    """A snapshot for diagnostics.

    Attributes:
        state: 'stopped', 'loading', 'ready', 'asleep' (unloaded for want of requests), 'restarting' or 'unloadable'.
        trouble: why it is not ready, or what went wrong last.
        capacity: tellings at once; 0 until ready.
        looks, looks_bytes: kept in the worker.
        weights_bytes: of the describer, 0 = unknown.
        segmenter_trouble: why it cannot be used, '' = it can.
        follows: the segmenter carries a region through a clip.
        reader_trouble: why there was no reader when the worker was loaded, '' = there was one.
    """

    state: str = 'stopped'
    trouble: str = ''
    describer: str = ''
    model: str = ''
    languages: tuple[str, ...] = ()
    max_pictures: int = 1
    capacity: int = 0
    pid: int = 0
    load_s: float = float('nan')
    deaths: int = 0
    waiting: int = 0
    running: int = 0
    answered: int = 0
    failed: int = 0
    typical_s: float = _TYPICAL_S
    looks: int = 0
    looks_bytes: int = 0
    weights_bytes: int = 0
    segmenter: str = ''
    segmenter_trouble: str = ''
    follows: bool = False
    reader_trouble: str = ''
