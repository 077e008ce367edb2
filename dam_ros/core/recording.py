"""A record of what was said, only where somebody asked for one. It does not know who speaks."""
from __future__ import annotations

from datetime import datetime, timezone
import json
from pathlib import Path

from dam_ros.core.errors import complaint
from dam_ros.core.settings import SettingsError


class Recording:
    """`record_to`/said.jsonl: one JSON object a line, `at` (UTC), `text`, `priority`, `about`.

    Raises:
        SettingsError: the folder cannot be made or written.
    """

    def __init__(self, folder: str):
        path = Path(folder).expanduser()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file = open(path / 'said.jsonl', 'a', encoding='utf-8', buffering=1)
        except OSError as error:
            raise SettingsError(complaint('record_to', folder, 'a folder that can be written', str(error))) from error

    def said(self, text: str, priority: str, about: str) -> None:
        """A full disk ends the record, not the speech."""
        line = {'at': datetime.now(timezone.utc).isoformat(timespec='milliseconds'), 'text': text, 'priority': priority,
                'about': about}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + '\n')
        except (OSError, ValueError):
            pass

    def close(self) -> None:
        self._file.close()
