"""describer remote: its options, and what it sends to a server of either dialect."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from dam_ros import describers
from dam_ros.core import queries
from dam_ros.core.describing import BRIEF, FULL, NORMAL, Query, tell
from dam_ros.core.errors import DescriberFailed, Unsupported
from remote_asking import spots, told
from remote_server import DAM_MODEL, Server, answer_to, events, pictures_of, response, serving_model, text_of

@pytest.fixture
def dam() -> Iterator[Server]:
    with serving_model('dam') as server:
        yield server


@pytest.fixture
def plain() -> Iterator[Server]:
    with serving_model('standard') as server:
        yield server



# -- what it says of itself -------------------------------------------------------------------------------------------

def test_its_name_is_the_models_and_the_servers(dam, plain):
    assert dam.describer().model == f'{DAM_MODEL} at {dam.url}'
    assert plain.describer().model == f'some-vision-model at {plain.url}'
    assert plain.describer(languages='en, de').languages == ('en', 'de')


def test_without_options_it_asks_this_machine():
    assert describers.create('remote', {}).model == f'{DAM_MODEL} at http://localhost:8000'


@pytest.mark.parametrize(('options', 'words'), [
    ({'url': 'localhost:8000'}, ["remote_url is 'localhost:8000'", 'http://HOST:PORT']),
    ({'url': 'http://x:y'}, ['remote_url']), ({'url': 'http://'}, ['remote_url']),
    ({'url': 'http://x:0'}, ['remote_url']), ({'url': 3}, ['remote_url is 3']),
    ({'url': 'http://x/v1?a=b'}, ['remote_url']), ({'url': 'http://a b/'}, ['remote_url']),
    ({'url': 'http://x/\r\nX: y'}, ['remote_url']), ({'url': 'file:///etc/passwd'}, ['remote_url']),
    ({'pictures': 'png'}, ["remote_pictures is 'png'", 'rgba or outlined']),
    ({'timeout_s': 0.0}, ['remote_timeout_s is 0.0', '0.1 to 3600']), ({'timeout_s': True}, ['remote_timeout_s']),
    ({'timeout_s': float('nan')}, ['remote_timeout_s']), ({'connect_timeout_s': '5'}, ['remote_connect_timeout_s']),
    ({'model_kind': 'video'}, ["model_kind is 'video'", 'joint']), ({'capacity': 0}, ['capacity is 0', '1 to 64']),
    ({'languages': 'de'}, ['languages', "'en' with remote_pictures rgba"]),
    ({'languages': 'en;de', 'pictures': 'outlined'}, ['languages', 'separated by commas']),
    ({'max_side_px': -1}, ['max_side_px']), ({'tempo': 1}, ["'tempo'", 'timeout_s']),
])
def test_an_option_that_cannot_be_is_one_line(options, words):
    with pytest.raises(DescriberFailed) as caught:
        describers.create('remote', options)
    assert [one for one in words if one not in str(caught.value)] == [], caught.value
    assert '\n' not in str(caught.value)


# -- what it sends ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('url', ['{}', '{}/', '{}/chat/completions'])
def test_the_url_may_end_as_people_write_it(dam, url):
    assert told(dam.describer(url=url.format(dam.url)))[0]


def test_a_request_is_what_the_dam_authors_server_takes(dam):
    text, end = told(dam.describer(), Query(max_tokens=77))
    headers, body = dam.requests[0]
    content = body['messages'][0]['content']
    assert [part['type'] for part in content] == ['image_url', 'text']
    assert content[0]['image_url']['url'].startswith('data:image/png;base64,')
    assert content[1]['text'] == 'Describe the masked region in detail.'
    assert {**body, 'messages': []} == {'model': DAM_MODEL, 'stream': True, 'max_tokens': 77, 'temperature': 0.0,
                                        'top_p': 1.0, 'messages': []}
    assert 'Authorization' not in headers
    seen = spots()
    assert text == answer_to(queries.IMAGE[NORMAL], pictures_of(dam.requests[0][1]))
    assert (pictures_of(dam.requests[0][1])[0][..., 2::-1] == seen.image).all()
    assert (end.language, end.truncated, end.abstained) == ('en', False, False)


def test_sampling_is_sent(dam):
    told(dam.describer(), Query(temperature=0.2, top_p=0.5, top_k=50, seed=7))
    body = dam.requests[0][1]
    assert (body['temperature'], body['top_p'], body['seed']) == (0.2, 0.5, 7)
    assert 'top_k' not in body, 'the protocol has no such field, and some servers refuse what they do not know'


@pytest.mark.parametrize(('query', 'options', 'asked'), [
    (Query(detail=BRIEF), {}, queries.IMAGE[BRIEF]), (Query(detail=FULL), {}, queries.IMAGE[FULL]),
    (Query(), {'model_kind': 'joint'}, queries.JOINT_IMAGE[NORMAL]),
    (Query(), {'model': 'DAM-3B-Video'}, queries.JOINT_IMAGE[NORMAL]),
    (Query(), {'model': 'DAM-3B-Video', 'model_kind': 'image'}, queries.IMAGE[NORMAL]),
    (Query('  What colour is it? '), {}, 'What colour is it?'), (Query(' '), {}, queries.IMAGE[NORMAL]),
    (Query('What is <image> in </s><|im_end|>, if 3 < 4 > 2?'), {},
     'What is < image> in < /s>< |im_end|>, if 3 < 4 > 2?'),
    (Query('<image><image>\n<<image>>'), {}, '< image>< image>\n<< image>>'),
    (Query('Image: <image>\n ask', raw=True), {}, 'Image: <image>\n ask'),
])
def test_what_is_asked(dam, query, options, asked):
    dam.script = [response(events({'choices': [{'delta': {'content': 'x'}, 'finish_reason': 'stop'}]}))]
    told(dam.describer(**options), query)
    assert text_of(dam.requests[0][1]) == asked


def test_a_question_cannot_break_out_of_its_place(dam):
    question = '", "x": {"url": "\\ \u2028 \x00 \ud83d\ude00'.encode('utf-16', 'surrogatepass').decode('utf-16')
    told(dam.describer(), Query(question))
    assert text_of(dam.requests[0][1]) == question


def test_a_clip_is_eight_pictures_each_with_its_mask():
    with serving_model('dam', joint=True) as server:
        told(server.describer(), subject=spots(3))
        told(server.describer(), subject=spots(8))
        told(server.describer(), Query('Does it move?'), subject=spots(2))
    for (_, body), asked in zip(server.requests, [queries.JOINT_VIDEO[NORMAL]] * 2 + ['Does it move?']):
        assert len(pictures_of(body)) == 8
        assert text_of(body) == asked
    seen = spots(3)
    for picture, index in zip(pictures_of(server.requests[0][1]), [0, 0, 0, 0, 1, 1, 1, 2]):
        image, mask = seen.pictures[index]
        assert (picture[..., 2::-1] == image).all()
        assert ((picture[..., 3] > 0) == mask).all()


def test_a_clip_for_a_checkpoint_of_single_pictures_is_unsupported(dam):
    with pytest.raises(Unsupported, match='clip_s.*only 1 image, but 8 came'):
        told(dam.describer(), subject=spots(8))
    with pytest.raises(Unsupported, match='at most 8'):
        dam.describer().look([spots(9)])
    single = dam.describer(model_kind='image')
    assert single.max_pictures == 1
    with pytest.raises(Unsupported, match='at most 1'):
        single.look([spots(2)])


def test_a_plain_model_gets_an_outlined_picture_and_a_close_up(plain):
    text, end = told(plain.describer(), Query('Is it <image> red?'))
    body = plain.requests[0][1]
    assert len(pictures_of(body)) == 2
    assert all(one.shape[2] == 3 for one in pictures_of(body))
    assert 'outlined in red' in text_of(body) and 'Is it < image> red?' in text_of(body)
    assert 'masked region' not in text_of(body)
    assert text == answer_to(text_of(body), pictures_of(body))
    assert end.language == 'en'


def test_a_plain_model_gets_a_clip_as_it_is_and_one_close_up(plain):
    told(plain.describer(), subject=spots(3))
    body = plain.requests[0][1]
    assert len(pictures_of(body)) == 4
    assert 'first 3 pictures' in text_of(body)


@pytest.mark.parametrize(('language', 'asked'), [('', False), ('en', False), ('en-GB', False), ('de-CH', True)])
def test_a_plain_model_is_asked_for_the_language(plain, language, asked):
    _, end = told(plain.describer(languages='en, de'), Query(language=language))
    assert ('BCP 47 tag is de-CH' in text_of(plain.requests[0][1])) == asked
    assert end.language == (language or 'en')
    with pytest.raises(Unsupported, match="language is 'fr'.*'en', 'de'"):
        told(plain.describer(languages='en, de'), Query(language='fr'))


def test_details_are_asked_for_in_different_words(plain):
    describer = plain.describer()
    for detail in (NORMAL, BRIEF, FULL):
        told(describer, Query(detail=detail))
    assert len({text_of(body) for _, body in plain.requests}) == 3


def test_a_second_question_sends_the_same_pictures_encoded_once(dam, monkeypatch):
    describer = dam.describer()
    look, = describer.look([spots()])
    monkeypatch.setattr('dam_ros.describers.remote_pictures.cv2.imencode', None)
    for query in (Query(), Query('Why?')):
        list(tell(describer, look, query))
    first, second = (body['messages'][0]['content'][0] for _, body in dam.requests)
    assert first == second
    look.close()
    with pytest.raises(DescriberFailed, match='closed look'):
        describer.begin(look, Query())
