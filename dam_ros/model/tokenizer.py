"""Text to token ids and back, as the reference's tokenizer does it: sentencepiece, Llama's non-legacy rules.

Only sentencepiece is used: fast tokenizers differ where a text begins with a space (dam-spec 8.1). Names of fields are
those of tokenizer_config.json.
"""
from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
import re

import sentencepiece

from dam_ros.core.errors import complaint, DescriberFailed

_SPACE = '\u2581'   # how sentencepiece writes a space
# Behind a serialized ModelProto this sets normalizer_spec.add_dummy_prefix to false: protobuf merges repeated messages.
_NO_DUMMY_PREFIX = b'\x1a\x02\x18\x00'
_NAMES = {'bos_token': '<s>', 'eos_token': '</s>', 'unk_token': '<unk>', 'pad_token': '<unk>'}


@dataclass(frozen=True)
class _Added:
    """A text that is one token whatever is around it."""

    content: str
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False


class Tokenizer:
    """Of one checkpoint.

    Attributes:
        size: ids run from 0 to size - 1.
        end: the id of `</s>`.
    """

    def __init__(self, folder: Path):
        """Raises DescriberFailed: a file cannot be read."""
        config = _json(folder / 'tokenizer_config.json')
        numbered = {**_further(folder / 'added_tokens.json'), **_numbered(folder / 'tokenizer_config.json', config)}
        names = {**_NAMES, **_contents(config), **_contents(_json(folder / 'special_tokens_map.json'))}
        try:
            model = (folder / 'tokenizer.model').read_bytes()
            self._pieces = sentencepiece.SentencePieceProcessor(model_proto=model + _NO_DUMMY_PREFIX)
        except (OSError, RuntimeError) as error:
            raise DescriberFailed(f'{folder / "tokenizer.model"} cannot be used ({error}); fetch the checkpoint again'
                                  ) from error
        self._added = self._number(numbered, names)
        self._ids = {one.content: id for id, one in self._added.items()}
        self.size = max(self._pieces.get_piece_size(), *(id + 1 for id in self._added))
        self.end = self._ids['</s>'] if '</s>' in self._ids else self._ids[names['eos_token']]
        self._first = [self._ids[names['bos_token']]] if config.get('add_bos_token', True) else []
        self._last = [self._ids[names['eos_token']]] if config.get('add_eos_token', False) else []
        self._prefix = _SPACE if config.get('add_prefix_space') in (None, True) else ''
        longest_first = sorted(self._ids, key=len, reverse=True)
        self._split = re.compile('(' + '|'.join(map(re.escape, longest_first)) + ')')
        self._unknown = names['unk_token']
        self._unknown_length = len(self._pieces.encode(self._unknown))

    def _number(self, numbered: dict[int, _Added], names: dict[str, str]) -> dict[int, _Added]:
        """Ids of the added tokens; what has none in any file is one of the pieces, or comes behind the last."""
        added = dict(numbered)
        for content in names.values():
            if content in {one.content for one in added.values()}:
                continue
            id = self._pieces.piece_to_id(content)
            if self._pieces.id_to_piece(id) != content:
                id = max(self._pieces.get_piece_size(), *(old + 1 for old in added), 0)
            added[id] = _Added(content)
        return added

    def encode(self, chunks: list[str], specials: bool) -> list[list[int]]:
        """Ids of the texts between the pictures of one prompt; only the first begins with `<s>`.

        Args:
            specials: `<s>`, `</s>` and the like in the texts are these tokens; else they are plain characters.
        """
        split = self._encode_specials if specials else self._encode_plain
        encoded = [[*split(chunk.encode('utf-8', 'replace').decode()), *self._last] for chunk in chunks]
        return [[*self._first, *encoded[0]], *encoded[1:]]

    def _encode_plain(self, text: str) -> list[int]:
        return self._encode_part(self._prefix + text.replace(_SPACE, ' ')) if text else []

    def _encode_specials(self, text: str) -> list[int]:
        if not text:
            return []
        parts = self._split.split(self._prefix + text.replace(_SPACE, ' '))   # odd ones are added tokens
        for index in range(1, len(parts), 2):
            token = self._added[self._ids[parts[index]]]
            if token.lstrip:
                parts[index - 1] = parts[index - 1].rstrip()
            if token.rstrip:
                parts[index + 1] = parts[index + 1].lstrip()
        if len(parts) > 1 and parts[0] in (_SPACE, ' ') and self._added[self._ids[parts[1]]].special:
            parts[0] = ''   # no space of its own before a special token
        return [id for index, part in enumerate(parts) for id in
                ([self._ids[part]] if index % 2 else self._encode_part(part))]

    def _encode_part(self, text: str) -> list[int]:
        if not text.startswith((_SPACE, ' ')):
            return self._pieces.encode(text)
        # Behind another token, as sentencepiece may drop spaces at the beginning.
        return self._pieces.encode(self._unknown + text)[self._unknown_length:]

    def speller(self) -> Speller:
        """For one text that grows token by token."""
        return Speller(self._pieces, self._added)


class Speller:
    """Turns tokens into text as they come. A character's bytes are held back until it is whole."""

    def __init__(self, pieces: sentencepiece.SentencePieceProcessor, added: dict[int, _Added]):
        self._pieces, self._added = pieces, added
        self._bytes: list[int] = []       # ids of byte tokens that are no whole character yet
        self._within = self._any = False  # in a run of pieces; anything written at all

    def add(self, id: int) -> str:
        """The text that is certain now, '' if none."""
        token = self._added.get(id)
        if token is not None and token.special:
            return ''
        if token is not None:
            text = self._flush() + (' ' if self._any else '') + token.content
            self._within, self._any = False, True
            return text
        if self._pieces.is_byte(id):
            self._bytes.append(id)
            return self._whole_characters()
        return self._flush() + self._of_run(self._pieces.id_to_piece(id).replace(_SPACE, ' '))

    def end(self) -> str:
        """What was held back."""
        return self._flush()

    def _whole_characters(self) -> str:
        try:
            text = bytes(int(self._pieces.id_to_piece(id)[3:5], 16) for id in self._bytes).decode()
        except UnicodeDecodeError:
            return ''
        self._bytes = []
        return self._of_run(text)

    def _flush(self) -> str:
        """Bytes that are no character; sentencepiece decides how many marks of replacement they become."""
        held, self._bytes = self._bytes, []
        return self._of_run(self._pieces.decode(held)) if held else ''

    def _of_run(self, text: str) -> str:
        if self._within:
            return text
        text = text[1:] if text.startswith(' ') else text   # the space before the first word of a run
        text = ' ' + text if self._any else text
        self._within = self._any = True
        return text


def _numbered(path: Path, config: dict) -> dict[int, _Added]:
    """added_tokens_decoder: id -> object."""
    found, added = config.get('added_tokens_decoder') or {}, {}
    for id, one in found.items() if isinstance(found, dict) else [('', found)]:
        content = one.get('content') if isinstance(one, dict) else None
        if not (re.fullmatch('[0-9]{1,7}', id) and isinstance(content, str) and content):
            raise DescriberFailed(complaint(f'{path}: added_tokens_decoder', {id: one} if id else one,
                                            'an id and an object with its content for each token'))
        added[int(id)] = _Added(content, *(one.get(field, False) is True for field in ('special', 'lstrip', 'rstrip')))
    return added


def _further(path: Path) -> dict[int, _Added]:
    """The older file of the same kind: text -> id."""
    found = _json(path)
    for content, id in found.items():
        if not (type(id) is int and 0 <= id < 10_000_000 and content):
            raise DescriberFailed(complaint(f'{path}: {content}', id, 'a token id'))
    return {id: _Added(content, special=False) for content, id in found.items()}


def _json(path: Path) -> dict:
    """The object in an optional file."""
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DescriberFailed(f'{path} cannot be read as JSON ({error}); fetch the checkpoint again') from error
    if not isinstance(found, dict):
        raise DescriberFailed(f'{path} is no JSON object; fetch the checkpoint again')
    return found


def _contents(config: dict) -> dict[str, str]:
    """The named tokens of a file, which are written as text or as an object."""
    found = {name: config.get(name) for name in _NAMES}
    found = {name: one.get('content') if isinstance(one, dict) else one for name, one in found.items()}
    return {name: one for name, one in found.items() if isinstance(one, str) and one}
