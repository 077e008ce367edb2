"""The prompt around a query: conversation template `v1`, the places of the pictures, and all ids (dam-spec 8).

It knows the kinds of checkpoint, not their weights.
"""
from __future__ import annotations

from dataclasses import dataclass

from dam_ros.core.describing import Query
from dam_ros.core.errors import complaint, invalid, InvalidRequest
from dam_ros.core.queries import query_for
from dam_ros.model.config import JOINT
from dam_ros.model.tokenizer import Tokenizer

PLACEHOLDER = '<image>'
_SYSTEM = ("A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
           "detailed, and polite answers to the user's questions.")


@dataclass(frozen=True)
class Prompt:
    """Token ids with a picture between each two of `before`, and one between the last of them and `behind`.

    Attributes:
        before: ids of each text that precedes a picture; as many as pictures.
        behind: ids after the last picture: what differs from one question about a look to the next.
    """

    before: tuple[tuple[int, ...], ...]
    behind: tuple[int, ...]

    def length(self, image_tokens: int) -> int:
        """Positions that the language model reads, with so many tokens per picture."""
        return sum(map(len, self.before)) + len(self.before) * image_tokens + len(self.behind)


def build(query: Query, kind: str, pictures: int, tokenizer: Tokenizer) -> Prompt:
    """The prompt for a look of so many pictures.

    Raises:
        InvalidRequest: a raw query whose placeholders do not fit the pictures.
    """
    chunks = _raw(query.question, pictures) if query.raw else _composed(query, kind, pictures)
    *before, behind = tokenizer.encode(chunks, specials=query.raw)
    return Prompt(tuple(map(tuple, before)), tuple(behind))


def _composed(query: Query, kind: str, pictures: int) -> list[str]:
    """Put together from parts, so that a placeholder within the question stays plain characters."""
    joint = kind == JOINT
    title = ('Video: ' if pictures > 1 else 'Image: ') if joint else ''
    asked = query_for(query.question, query.detail, joint, pictures)
    return [f'{_SYSTEM} USER: {title}', *[''] * (pictures - 1), f'\n{asked} ASSISTANT:']


def _raw(question: str, pictures: int) -> list[str]:
    chunks = f'{_SYSTEM} USER: {question} ASSISTANT:'.split(PLACEHOLDER)
    if len(chunks) - 1 != pictures:
        raise invalid('raw_query', question, f'{PLACEHOLDER} {_times(pictures)}',
                      f'It has {len(chunks) - 1} of them; one stands for each picture')
    return chunks


def _times(count: int) -> str:
    return 'once' if count == 1 else f'{count} times'


def check_length(prompt: Prompt, image_tokens: int, most: int, field: str, question: str) -> None:
    """Raises InvalidRequest: the reference cuts the end off silently, which is the question itself."""
    length = prompt.length(image_tokens)
    if length > most:
        rest = most - (length - len(prompt.behind))
        raise InvalidRequest(complaint(field, question, f'at most {max(rest, 0)} tokens with {len(prompt.before)} '
                                       f'picture(s) of {image_tokens} tokens in a context of {most}',
                                       f'It has {len(prompt.behind)}; ask for less'))
