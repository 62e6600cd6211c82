"""Where in a text would a phone, or its reader, see a web address?

An ending counts only when the web has it, for phones make no link of anything else; so "24.5", "z.B." and
"Inc.Your" are prose. The endings are those of countries (IANA root zone) and the generic ones in common use.
"""

import re
from collections.abc import Iterator
from typing import Final

# By their first letter and every second one.
_COUNTRIES: Final = """
a:cdefgilmoqrstuwxz b:abdefghijmnorstwyz c:acdfghiklmnoruvwxyz d:ejkmoz e:cegrstu f:ijkmor
g:abdefghilmnpqrstuwy h:kmnrtu i:delmnoqrst j:emop k:eghimnprwyz l:abcikrstuvy m:acdeghklmnopqrstuvwxyz
n:acefgilopruz o:m p:aefghklmnrstwy q:a r:eosuw s:abcdeghiklmnorstuvxyz t:cdfghjklmnortvwz u:agksyz
v:aceginu w:fs y:et z:amw
"""
_GENERIC: Final = """
com net org edu gov mil int info biz name pro mobi asia app dev page web xyz top online site website store
shop club live life link click icu vip fun space tech cloud host press work world today news blog email one
win bid loan men party date review trade stream download agency company group global digital network systems
services solutions support center team tools zone bank finance money cash credit insure health care clinic
doctor games game bet casino poker chat social media video photo travel hotel city london berlin paris tokyo
bar cafe pizza food kitchen fit yoga ink wiki zip mov new how foo day buzz cam cyou monster rest sbs bond lol
quest beauty hair skin makeup autos boats homes motorcycles yachts guru deals google amazon apple android
plus expert academy school university courses education study training college marketing business ventures
capital fund trading forex loans mortgage tax accountants legal lawyer attorney law directory supply parts
shopping sale discount gift gifts coupons promo photos pictures pics gallery studio design art graphics audio
radio music band movie theater show fans football golf tennis run bike car taxi limo flights cruises tours
villas house apartments estate properties property land farm garden flowers dog pet kids baby family wedding
"""
_FOREIGN: Final = """
рф рус бел бг мкд мон срб укр қаз ευ ελ հայ გე 中国 中國 公司 网络 香港 澳門 台湾 台灣 新加坡 みんな
コム 한국 닷컴 닷넷 ไทย คอม ລາວ भारत संगठन বাংলা ভারত ভাৰত ਭਾਰਤ ભારત ଭାରତ இந்தியா இலங்கை சிங்கப்பூர் భారత్
ಭಾರತ ഭാരതം ලංකා السعودية امارات الاردن الجزائر المغرب الهند العراق عمان فلسطين قطر مصر تونس سورية سودان
اليمن ایران پاکستان بھارت بازار شبكة موقع קום ישראל
"""
_COUNTRY_ENDINGS: Final = [
    first + second
    for first, _, seconds in (each.partition(":") for each in _COUNTRIES.split())
    for second in seconds
]
_ENDINGS: Final = "|".join(
    sorted((*_COUNTRY_ENDINGS, *_GENERIC.split(), *_FOREIGN.split()), key=len, reverse=True)
)
# A filled placeholder ends like a word, and an app may be called "Com"; hence the braces.
_LINK: Final = re.compile(
    rf"""
    :// [!-~]*
    | (?<!\w) www [.。] [!-~]*
    | (?<![\w-]) xn-- [!-~]+
    | (?<=[\w}}-]) \. (?: (?: {_ENDINGS} ) (?! \w | \.\w ) | \{{app_name\}}
        | [^\W\d_]{{2,24}} (?=/) )
      (?: [:/] [!-~]+ )?
    | (?<!\d) \d{{1,3}} (?: \. \d{{1,3}} ){{3}} (?! [\d.]*\d )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE: Final = re.compile(r"[\w.{}@-]*\Z")
# One plain sign for each full-width one, so that every place stays where it was.
_PLAIN: Final = {0xFF61: ord(".")} | {0xFF01 + at: 0x21 + at for at in range(94)}


def find(text: str) -> Iterator[tuple[int, str]]:
    """Every web address in a body or a text: where it starts, in characters from 0, and how it is written.

    The ideographic full stop is no dot here: in Japanese and Chinese it ends a sentence, whatever follows.
    """
    plain = text.translate(_PLAIN)
    end = 0
    for found in _LINK.finditer(plain):
        # The pattern stands on the last dot or on ://, so the word before it belongs to the address.
        start = end + _start(plain[end : found.start()])
        end = found.end()
        yield start, text[start:end]


def _start(before: str) -> int:
    found = _BEFORE.search(before)
    return found.start() if found else len(before)
