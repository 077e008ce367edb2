"""Fetching the weights of SAM from the Hugging Face hub into its cache. It needs huggingface_hub.

JSON and safetensors only: nothing that can run. The nodes never call this.
"""
from __future__ import annotations

import argparse
from fnmatch import fnmatch
import os
from pathlib import Path
import re
from types import ModuleType

from dam_ros.core.errors import DescriberFailed, SegmenterFailed
from dam_ros.model import weights
from dam_ros.model.download import told
from dam_ros.model.hub_failures import in_words
from dam_ros.segmenters import sam_files

_ANSWER_S = 10   # until the hub has answered a question about a file


def fetch(model: str = '') -> Path:
    """The folder of the whole checkpoint, after fetching what is missing; no network where nothing is.

    Args:
        model: a hub id, or one with '@' and a commit, branch or tag; '' is the default.

    Raises:
        SegmenterFailed: one line that says what to do.
    """
    model = model or sam_files.DEFAULT
    if not sam_files.why_not(model):
        return sam_files.find(model).folder
    if not sam_files.HUB_ID.fullmatch(model):
        return sam_files.find(model).folder   # raises, and says what is wrong with it
    os.environ.setdefault('HF_HUB_DISABLE_TELEMETRY', '1')
    try:
        import huggingface_hub
        import huggingface_hub.utils
    except ImportError as error:
        raise SegmenterFailed(f'{error.name or error} cannot be imported, and only huggingface_hub can fetch weights: '
                              'pip install huggingface_hub') from error
    hub_id, _, revision = model.partition('@')
    try:
        with in_words(huggingface_hub, hub_id, revision):
            _fetch_files(huggingface_hub, hub_id, revision)
    except DescriberFailed as failure:
        if type(failure.__cause__).__name__ == 'RepositoryNotFoundError':   # those words name weights of DAM
            raise SegmenterFailed(f'{hub_id} could not be fetched: the hub has no such repository, or only for those '
                                  f'it knows; allowed: SAM or SAM 2, for instance {sam_files.DEFAULT}') from failure
        raise SegmenterFailed(str(failure)) from failure
    return sam_files.find(model).folder


def _fetch_files(library: ModuleType, hub_id: str, revision: str) -> None:
    endpoint = os.environ.get('HF_ENDPOINT') or None
    info = library.HfApi(endpoint).model_info(hub_id, revision=revision or 'main', timeout=_ANSWER_S)
    for name in sorted(one.rfilename for one in info.siblings or []):
        if '/' not in name and any(fnmatch(name, pattern) for pattern in sam_files.PATTERNS):
            library.hf_hub_download(hub_id, name, revision=info.sha, cache_dir=weights.cache_folder(),
                                    etag_timeout=_ANSWER_S, endpoint=endpoint)
    if not re.fullmatch('[0-9a-f]{7,40}', revision):   # which commit that name meant is found again without asking
        kept = weights.repository_folder(hub_id) / 'refs' / (revision or weights.OUR_REF)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(info.sha, encoding='ascii')


def main(arguments: list[str] | None = None) -> int:
    """`python -m dam_ros.segmenters.download [MODEL] [--check]`; exit code 0, 1, 2 or 130."""
    parser = argparse.ArgumentParser(prog='python -m dam_ros.segmenters.download',
                                     description='Download weights of SAM or SAM 2.')
    parser.add_argument('model', nargs='?', default=sam_files.DEFAULT,
                        help='hub id of SAM or SAM 2 in the layout of transformers, also HUB_ID@REVISION '
                        '(default: %(default)s)')
    parser.add_argument('--check', action='store_true', help='only look whether they are on disk; no network')
    asked = parser.parse_args(arguments)
    return told(lambda: sam_files.find(asked.model).folder if asked.check else fetch(asked.model))


if __name__ == '__main__':
    raise SystemExit(main())
