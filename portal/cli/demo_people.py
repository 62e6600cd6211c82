"""Who lives in the demo? Names that are common in twenty countries, and mobile numbers that could exist."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers

from portal.core import phone_number


@dataclass(frozen=True, slots=True)
class Country:
    """What people of one country are called; `shown_as` has names in the country's own script."""

    locale: str
    given: str
    family: str
    shown_as: str = ""


COUNTRIES = {
    "JP": Country(
        "ja-JP",
        "haruto yui sota hina ren aoi",
        "sato suzuki tanaka ito mori",
        "佐藤 陽翔,鈴木 結衣,田中 蓮,森 葵",
    ),
    "DE": Country("de-DE", "lena jonas mia paul emma felix", "mueller schmidt weber koch wolf"),
    "BR": Country("pt-BR", "ana joao maria pedro julia lucas", "silva souza costa lima rocha"),
    "US": Country("en-US", "olivia liam ava noah grace owen", "johnson brown davis moore reed"),
    "GB": Country("en-GB", "amelia jack isla harry poppy george", "jones taylor evans hughes ward"),
    "FR": Country("fr-FR", "jade louis alice hugo lina arthur", "martin bernard petit roux blanc"),
    "ES": Country("es-ES", "lucia mateo sofia pablo carla diego", "garcia lopez ruiz vega soler"),
    "IT": Country("it-IT", "giulia marco sara luca elena matteo", "rossi russo ferrari conti greco"),
    "IN": Country(
        "hi-IN", "aarav diya kabir anaya rohan meera", "sharma patel singh reddy nair", "आरव शर्मा,दिया पटेल"
    ),
    "ID": Country("id-ID", "budi siti agus dewi rizki putri", "santoso wijaya saputra lestari"),
    "MX": Country("es-MX", "ximena santiago regina emilio", "hernandez torres flores ramos"),
    "KR": Country("ko-KR", "minjun seoyeon jiho haeun", "kim lee park choi", "김민준,이서연,박지호,최하은"),
    "TH": Country("th-TH", "somchai malee anan kanya", "saetang wongsa chaiyo", "สมชาย วงษา,มาลี ไชโย"),
    "VN": Country("vi-VN", "linh minh anh khoa thao", "nguyen tran pham hoang"),
    "PH": Country("en-PH", "jose maricel paolo liza", "santos reyes cruz bautista"),
    "NG": Country("en-NG", "chidi amina tunde ngozi", "okafor bello adeyemi eze"),
    "ZA": Country("en-ZA", "thabo lerato sipho zanele", "nkosi dlamini botha naidoo"),
    "EG": Country("ar-EG", "omar nour youssef mariam", "hassan mahmoud fathy", "عمر حسن,نور محمود,مريم فتحي"),
    "SA": Country(
        "ar-SA", "faisal noura khalid sara", "alharbi alqahtani alotaibi", "فيصل الحربي,نورة القحطاني"
    ),
    "TR": Country("tr-TR", "elif mert zeynep emre", "yilmaz kaya demir celik"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who will sign up."""

    login_name: str
    display_name: str
    email_address: str
    country: str
    locale: str


def draw(chance: random.Random, countries: Sequence[str], number: int) -> Person:
    """A person of one of `countries`; `number` makes the login name one of a kind."""
    code = chance.choice(countries)
    country = COUNTRIES[code]
    given, family = chance.choice(country.given.split()), chance.choice(country.family.split())
    shown = chance.choice(country.shown_as.split(",")) if country.shown_as else f"{given} {family}".title()
    login = f"{given}_{family}{number}"
    return Person(login, shown, f"{given}.{family}{number}@mail.example", code, country.locale)


class Numbers:
    """Mobile numbers around each country's example number, each drawn once."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._drawn: set[str] = set()

    def draw(self, country: str) -> str:
        """A number in E.164 form that its numbering plan calls mobile and that nobody has yet."""
        example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
        assert example is not None
        start = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[:-5]
        while True:
            text = f"{start}{self._chance.randrange(100_000):05}"
            if text not in self._drawn and _is_mobile(text, country):
                self._drawn.add(text)
                return text


def _is_mobile(text: str, country: str) -> bool:
    try:
        number = phone_number.parse(text)
    except phone_number.PhoneNumberError:
        return False
    return number.region == country and phone_number.is_textable(number) is None
