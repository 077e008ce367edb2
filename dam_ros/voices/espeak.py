"""espeak-ng as a synthesizer: one short process per sentence, text by stdin. It knows no sound device."""
from __future__ import annotations

from collections.abc import Mapping
import shutil
import struct
import subprocess

import numpy as np

from dam_ros.core.speakable import speakable
from dam_ros.voices.children import Child, talk_to
from dam_ros.voices.espeak_voices import (best_language, EspeakVoice, languages_of, plain, primary, variants_of,
                                          voices_of)
from dam_ros.voices.protocol import Run, Sound, Utterance, VoiceError

INSTALL = 'sudo apt-get install espeak-ng'
_LIMIT_S = 2.5   # a sentence of 300 characters takes 50 ms


class Espeak:
    """`program` is the path of espeak-ng; '' = the one on PATH."""

    def __init__(self, program: str = '', default_language: str = 'en'):
        self._program = program or shutil.which('espeak-ng') or ''
        self._default = default_language

    def check(self) -> str:
        if not self._program:
            return f'espeak-ng is not installed. {INSTALL}'
        return '' if languages_of(self._program) else f'{self._program} lists no voices. {INSTALL} --reinstall'

    def names(self) -> Mapping[str, str]:
        """Those of the list, and the variants with a plus, which go with every language."""
        if not self._program:
            return {}
        return {**{one.name: one.languages[0] for one in voices_of(self._program)},
                **{f'+{_short(one)}': '' for one in variants_of(self._program)}}

    def make(self, utterance: Utterance, run: Run) -> Sound:
        if not self._program:
            raise VoiceError(self.check())
        pitch = [] if utterance.pitch == 50 else ['-p', str(utterance.pitch)]
        child = Child([self._program, '--stdin', '--stdout', '-b', '1', '-v', self._voice(utterance),
                       '-s', str(round(utterance.rate_wpm)), *pitch],
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        status, wav, complaint = talk_to(child, run, speakable(utterance.text).encode(), _LIMIT_S)
        if status < 0:
            raise VoiceError(f'espeak-ng died of signal {-status}', again=True)
        # It exits with 0 after most errors, so what came is looked at instead.
        return read_wav(wav) if len(wav) > 44 else _nothing(status, complaint)

    def close(self) -> None:
        pass

    def _voice(self, utterance: Utterance) -> str:
        """What -v takes: the named voice where it speaks that language, else the one of the language."""
        known = languages_of(self._program)
        language = best_language(utterance.language, known) or best_language(self._default, known) or 'en'
        name, _, variant = (plain(part) for part in utterance.voice_name.partition('+'))
        if name:
            language = next((one.file for one in voices_of(self._program)
                             if name in (plain(one.name), plain(one.file), one.languages[0])
                             and primary(utterance.language) in map(primary, one.languages)), language)
        if variant:
            language += next((f'+{_short(one)}' for one in variants_of(self._program)
                              if variant == plain(_short(one))), '')
        return language


def _short(variant: EspeakVoice) -> str:
    """'f3' of '!v/f3'."""
    return variant.file.removeprefix('!v/')


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
