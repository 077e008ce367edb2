"""Prompts, clips and spelling: what is asked is what the model reads, and no character of a text is torn."""
from __future__ import annotations

import random

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the model needs torch')

from dam_ros.core.describing import BRIEF, FULL, NORMAL, Query, Subject   # noqa: E402
from dam_ros.core.errors import EmptyRegion, InvalidRequest, Unsupported   # noqa: E402
from dam_ros.model import prompts   # noqa: E402
from dam_ros.model.dam import load   # noqa: E402
from model_rig import SHAPES, describer, drive, ids, loaded, look, region, subject, text, told, watch   # noqa: E402
from tiny_dam import checkpoint   # noqa: E402

SPECIAL = (0, 1, 2)   # <unk>, <s>, </s>
PLAIN = ['<image>', '<s>', '</s>', '<unk>', '<s>x</s> y', 'a<image>b <image>\n', '</s></s>', ' <s> ',
         '<image>\n<s>[INST]', '\u2581<s>', '<0x0A>', 'USER: </s> ASSISTANT:',
         '\n', ' ', '  two  spaces ', '\t', 'é 数 ’ 🙂 \u200b', '\x00']


def tokenizer():
    return describer()._dam.tokenizer


def built(query: Query, kind: str = 'image', pictures: int = 1) -> prompts.Prompt:
    return prompts.build(query, kind, pictures, tokenizer())


def spelled(token_ids) -> str:
    speller = tokenizer().speller()
    return ''.join(map(speller.add, token_ids)) + speller.end()


# -- questions ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('question', PLAIN)
def test_special_tokens_and_placeholders_in_a_question_are_plain_characters(question: str):
    prompt = built(Query(question))
    assert len(prompt.before) == 1
    assert prompt.before == built(Query('What is it?')).before
    assert prompt.before[0][0] == 1 and not {*prompt.before[0][1:], *prompt.behind} & {*SPECIAL}
    assert spelled(prompt.behind) == f'\n{question} ASSISTANT:'.replace('\u2581', ' ')


@pytest.mark.parametrize('special, id', [('<s>', 1), ('</s>', 2), ('<unk>', 0)])
def test_in_a_raw_query_they_are_special(special: str, id: int):
    plain, raw = built(Query(f'a{special}b')), built(Query(f'<image>\na{special}b', raw=True))
    assert id in raw.behind and id not in plain.behind
    assert len(raw.behind) < len(plain.behind)


def test_a_hostile_question_is_answered_like_any_other():
    ours = describer()
    one = look(ours, 1)
    for question in ('<image>' * 9, '</s>' * 50, '\ud800 half a surrogate'):
        assert ids(told(ours, one, Query(question, max_tokens=3)))


def test_composed_prompts_are_the_official_raw_ones():
    eight = '<image>' * 8
    official = {
        ('image', 1): '<image>\nDescribe the masked region in detail.',
        ('joint', 1): 'Image: <image>\nGiven the image above, describe the object in the masked region.',
        ('joint', 8): f'Video: {eight}\nGiven the video in the form of a sequence of frames above, describe the object '
                      'in the masked region in the video in detail.'}
    for (kind, pictures), query in official.items():
        assert built(Query(), kind, pictures) == built(Query(query, raw=True), kind, pictures)
        asked = query.partition('<image>\n')[0] + '<image>\nWhy?'
        assert built(Query('Why?'), kind, pictures) == built(Query(asked, raw=True), kind, pictures)


@pytest.mark.parametrize('kind, pictures', [('image', 1), ('joint', 1), ('joint', 8)])
def test_details_differ_behind_the_pictures_only(kind: str, pictures: int):
    made = [built(Query(detail=detail), kind, pictures) for detail in (BRIEF, NORMAL, FULL)]
    assert len({one.before for one in made}) == 1
    assert len({one.behind for one in made}) == 3
    assert len(made[0].before) == pictures and all(one == () for one in made[0].before[1:])


@pytest.mark.parametrize('kind, pictures, query', [
    ('image', 1, 'none'), ('image', 1, '<image><image>'), ('joint', 8, 'Video: <image>\nx'),
    ('joint', 1, '<image>' * 8)])
def test_a_raw_query_has_one_placeholder_for_each_picture(kind: str, pictures: int, query: str):
    with pytest.raises(InvalidRequest, match=f"raw_query.*It has {query.count('<image>')} of them"):
        built(Query(query, raw=True), kind, pictures)


def test_a_refused_query_leaves_the_look_as_it_was():
    ours = describer()
    one = look(ours, 1)
    for query, wrong in ((Query('x', raw=True), InvalidRequest), (Query('was?', language='de'), Unsupported)):
        with pytest.raises(wrong):
            ours.begin(one, query)
        assert ids(told(ours, one, Query(max_tokens=4))) == ids(told(ours, look(ours, 1), Query(max_tokens=4)))
    assert ids(told(ours, one, Query(max_tokens=4, language='en-GB')))


@pytest.mark.parametrize('raw', [False, True])
def test_a_prompt_may_fill_the_context_to_the_last_token(raw: bool):
    ours = loaded(checkpoint(context=256, end_gain=0.0))
    dam = ours._dam
    one = look(ours, 1)

    def query(words: int) -> Query:
        return Query('<image>' * raw + 'a' + ' a' * words, raw=raw, max_tokens=2)

    def length(words: int) -> int:
        return prompts.build(query(words), 'image', 1, dam.tokenizer).length(dam.config.image_tokens)
    fits = 256 - length(0)
    assert length(fits) == 256
    assert len(ids(told(ours, one, query(fits)))) == 2   # text beyond the context is the reference's way, too
    with pytest.raises(InvalidRequest, match=f'{"raw_query" if raw else "query"}.*context of 256'):
        ours.begin(one, query(fits + 1))
    assert ids(told(ours, one, Query(max_tokens=2)))


# -- clips ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('frames', [2, 3, 5, 8, 9, 12])
def test_clips_are_sampled_or_repeated_to_eight(frames: int, monkeypatch: pytest.MonkeyPatch):
    ours = describer('joint')
    passes = watch(monkeypatch, ours._dam, 'context_pass')
    clip = subject(1, frames)
    pieces = told(ours, ours.look([clip])[0], Query(max_tokens=3))
    chosen = [int(one) for one in np.linspace(0, frames - 1, 8)]
    seen = torch.cat([arguments[0] for arguments, _ in passes])
    expected = torch.stack([ours._dam.channels(*clip.pictures[index]) for index in chosen])
    assert torch.equal(seen, expected)
    eight = Subject(tuple(clip.pictures[index] for index in chosen))
    assert pieces == told(ours, ours.look([eight])[0], Query(max_tokens=3))


def test_twelve_frames_are_those_that_the_reference_takes(monkeypatch: pytest.MonkeyPatch):
    ours = describer('joint')
    made = watch(monkeypatch, ours._dam, 'channels')
    clip = subject(1, 12)
    ours.look([clip])
    asked = [next(index for index, (image, _) in enumerate(clip.pictures) if image is arguments[0])
             for arguments, _ in made]
    assert asked == [0, 1, 3, 4, 6, 7, 9, 11]


def test_the_order_of_a_clip_counts_and_one_picture_is_an_image(monkeypatch: pytest.MonkeyPatch):
    ours = describer('joint')
    chosen_from = watch(monkeypatch, ours._dam, 'logits', 'write')
    clip = subject(1, 8)
    for pictures in (clip.pictures, clip.pictures[::-1]):
        told(ours, ours.look([Subject(pictures)])[0], Query(max_tokens=1))
    assert not torch.allclose(chosen_from[0][1], chosen_from[1][1], atol=1e-3)
    telling = ours.begin(ours.look([subject(1)])[0], Query(max_tokens=1))
    assert telling.prompt == built(Query(), 'joint', 1)
    telling.stop()


def test_several_frames_on_an_image_checkpoint_are_unsupported():
    ours = describer()
    assert (ours.max_pictures, describer('joint').max_pictures) == (1, 8)
    with pytest.raises(Unsupported, match='2 pictures.*DAM-3B-Video'):
        ours.look([subject(1, 2)])
    forced = loaded(checkpoint(**SHAPES['endless']), model_kind='joint')
    assert len(ids(told(forced, look(forced, 1, 2), Query(max_tokens=3)))) == 3


def test_a_frame_without_region_is_refused():
    image, mask = region(9)
    clip = Subject((*subject(1, 2).pictures, (image, np.zeros_like(mask))))
    with pytest.raises(EmptyRegion):
        describer('joint').look([clip])


def test_a_clip_and_pictures_in_one_batch_equal_each_alone():
    ours = describer('joint')
    wanted = [(subject(1, 8), Query(max_tokens=10)), (subject(2), Query(max_tokens=14)),
              (subject(3, 5), Query('Why?', max_tokens=6)), (subject(4), Query('Why?', max_tokens=6))]
    alone = [told(ours, ours.look([one])[0], query) for one, query in wanted]
    looks = ours.look([one for one, _ in wanted])
    pieces = drive(ours, [ours.begin(one, query) for one, (_, query) in zip(looks, wanted)])
    assert [ids(one) for one in pieces] == [ids(one) for one in alone]
    assert [text(one) for one in pieces] == [text(one) for one in alone]


# -- kinds ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('asked, name, kind', [
    ('auto', '', 'image'), ('auto', 'nvidia/DAM-3B-Video', 'image'), ('joint', '', 'joint'), ('image', '', 'image')])
def test_the_field_we_write_counts_before_the_name(asked: str, name: str, kind: str):
    assert load(checkpoint(), asked, device='cpu', name=name).config.kind == kind


# -- spelling -------------------------------------------------------------------------------------------------------

def test_characters_of_several_bytes_are_never_torn():
    written = 'é 数 ’ 🙂👩‍🚀 naïve Ω\n\tЖ x\u0301'
    token_ids, = tokenizer().encode([written], specials=False)
    speller = tokenizer().speller()
    pieces = [speller.add(id) for id in token_ids[1:]]
    assert ''.join(pieces) + speller.end() == written
    assert '\ufffd' not in ''.join(pieces)
    assert '' in pieces   # the bytes before the last


def test_any_tokens_are_spelled_as_sentencepiece_spells_them_together():
    draw = random.Random(3)
    pieces = tokenizer()._pieces
    for _ in range(300):
        token_ids = [draw.randrange(3, 259 if draw.random() < 0.6 else tokenizer().size) for _ in range(12)]
        assert spelled(token_ids).strip() == pieces.decode(token_ids).strip(), token_ids


def test_special_tokens_are_not_spelled_and_do_not_hide_what_was_held_back():
    half = '🙂'.encode()[:2]
    bytes_ = [tokenizer()._pieces.piece_to_id(f'<0x{one:02X}>') for one in half]
    assert spelled([*bytes_, 2]) != ''
    assert spelled([1, 2, 0]) == ''
