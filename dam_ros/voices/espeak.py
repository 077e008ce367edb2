"""espeak-ng as a synthesizer: one short process per sentence, text by stdin. It knows no sound device."""
from __future__ import annotations

from functools import lru_cache
import re
import shutil
import struct
import subprocess

import numpy as np

from dam_ros.core.speakable import speakable
from dam_ros.voices.children import Child, talk_to
from dam_ros.voices.protocol import Run, Sound, Utterance, VoiceError

INSTALL = 'sudo apt-get install espeak-ng'
_LIMIT_S = 5.0   # a sentence of 300 characters takes 50 ms
_OTHER_NAMES = re.compile(r'\(([\w-]+) \d+\)')   # "cmn ... (zh-cmn 5)(zh 5)"


class Espeak:
    """`program` is the path of espeak-ng; '' = the one on PATH."""

    def __init__(self, program: str = '', default_language: str = 'en'):
        self._program = program or shutil.which('espeak-ng') or ''
        self._default = default_language

    def check(self) -> str:
        if not self._program:
            return f'espeak-ng is not installed. {INSTALL}'
        return '' if languages_of(self._program) else f'{self._program} lists no voices. {INSTALL} --reinstall'

    def make(self, utterance: Utterance, run: Run) -> Sound:
        if not self._program:
            raise VoiceError(self.check())
        known = languages_of(self._program)
        language = best_language(utterance.language, known) or best_language(self._default, known) or 'en'
        child = Child([self._program, '--stdin', '--stdout', '-b', '1', '-v', language,
                       '-s', str(round(utterance.rate_wpm))],
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        status, wav, complaint = talk_to(child, run, speakable(utterance.text).encode(), _LIMIT_S)
        if status < 0:
            raise VoiceError(f'espeak-ng died of signal {-status}', again=True)
        # It exits with 0 after most errors, so what came is looked at instead.
        return read_wav(wav) if len(wav) > 44 else _nothing(status, complaint)

    def close(self) -> None:
        pass


def _nothing(status: int, complaint: bytes) -> Sound:
    if status or complaint.strip():
        first = complaint.decode(errors='replace').strip().splitlines()
        raise VoiceError(f'espeak-ng failed: {first[0] if first else status}', again=True)
    return Sound(np.zeros(0, np.int16), 22050)


def read_wav(wav: bytes) -> Sound:
    """Mono 16-bit WAV with a header of 44 bytes, whose lengths may be wrong: espeak-ng writes it before it knows them.

    Raises:
        VoiceError: something else.
    """
    good = len(wav) >= 44 and wav[:4] == b'RIFF' and wav[8:16] == b'WAVEfmt ' and wav[36:40] == b'data'
    channels, rate_hz, bits = (*struct.unpack_from('<HI', wav, 22), wav[34]) if good else (0, 0, 0)
    if (channels, bits) != (1, 16) or rate_hz == 0:
        raise VoiceError('what came from the synthesizer is no 16-bit mono WAV', again=True)
    return Sound(np.frombuffer(wav, '<i2', count=(len(wav) - 44) // 2, offset=44), rate_hz)


@lru_cache(maxsize=4)
def languages_of(program: str) -> tuple[str, ...]:
    """The languages of this espeak-ng, as -v takes them; () where it does not answer."""
    try:
        listed = subprocess.run([program, '--voices'], capture_output=True, timeout=2.0, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    rows = listed.decode(errors='replace').lower().splitlines()[1:]
    first = [row.split()[1] for row in rows if len(row.split()) > 1]
    others = [name for row in rows for name in _OTHER_NAMES.findall(row)]
    return tuple(dict.fromkeys(first + others))


def best_language(wanted: str, known: tuple[str, ...]) -> str:
    """Of `known` the one for this BCP 47 tag: itself, else a shorter one, else a variety of it, else ''."""
    tag = wanted.lower().replace('_', '-')
    while tag:
        if tag in known:
            return tag
        if '-' not in tag:
            break
        tag = tag.rpartition('-')[0]
    return next((one for one in known if tag and one.startswith(tag + '-')), '')
