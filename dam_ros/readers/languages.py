"""Languages as requests name them (BCP 47) and as tesseract names its data. It knows no program."""
from __future__ import annotations

# tesseract-ocr/tessdata_fast 4.1.0, whose names are ISO 639-2/T but for Chinese and some scripts.
_NAMES = dict(pair.split(':') for pair in """
    af:afr am:amh ar:ara as:asm az:aze be:bel bg:bul bn:ben bo:bod br:bre bs:bos ca:cat cs:ces cy:cym da:dan de:deu
    dv:div dz:dzo el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas fi:fin fil:fil fo:fao fr:fra fy:fry ga:gle gd:gla
    gl:glg gu:guj he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye id:ind is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kk:kaz
    km:khm kn:kan ko:kor ku:kmr ky:kir la:lat lb:ltz lo:lao lt:lit lv:lav mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa
    mt:mlt my:mya nb:nor ne:nep nl:nld nn:nor no:nor oc:oci or:ori pa:pan pl:pol ps:pus pt:por qu:que ro:ron ru:rus
    sa:san sd:snd si:sin sk:slk sl:slv sq:sqi sr:srp su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tl:fil
    to:ton tr:tur tt:tat ug:uig uk:ukr ur:urd uz:uzb vi:vie yi:yid yo:yor zh:chi_sim""".split())
_SPECIAL = {'zh-hant': 'chi_tra', 'zh-tw': 'chi_tra', 'zh-hk': 'chi_tra', 'zh-mo': 'chi_tra', 'sr-latn': 'srp_latn',
            'az-cyrl': 'aze_cyrl', 'uz-cyrl': 'uzb_cyrl'}


def name_of(tag: str) -> str:
    """tesseract's name of a language: 'deu' of 'de-CH'; a tag nobody knows stays as it is.

    Args:
        tag: BCP 47.
    """
    parts = tag.lower().replace('_', '-').split('-')
    special = _SPECIAL.get('-'.join(parts[:2]))
    return special or _NAMES.get(parts[0], parts[0])


def tag_of(name: str) -> str:
    """BCP 47 of tesseract's name; '' where it is none of these."""
    found = {special: tag for tag, special in _SPECIAL.items()} | {one: tag for tag, one in _NAMES.items()}
    found.update(nor='no', fil='fil', chi_tra='zh-Hant', srp_latn='sr-Latn')
    return found.get(name, '')


def package_of(name: str) -> str:
    """The Debian package with its data."""
    return 'tesseract-ocr-' + name.replace('_', '-')
