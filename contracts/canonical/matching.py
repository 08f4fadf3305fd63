"""Matching: whether two records are one firm, by name, tax number or internet domain."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import zip_longest
from typing import Literal

import msgspec

from contracts.canonical import countries
from contracts.canonical.customer import Customer
from contracts.canonical.folding import words_of
from contracts.canonical.legal_forms import without_forms

Likeness = Literal["tax_number", "name", "domain"]
SCORES: dict[Likeness, int] = {"tax_number": 100, "name": 80, "domain": 60}
_REASONS: dict[Likeness, str] = {
    "tax_number": "same tax number",
    "name": "same name",
    "domain": "same internet domain",
}

_AND = frozenset({"und", "et", "og", "och"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})

# -- names


def normal_name(name: str) -> str:
    """A firm's name without case, accents, punctuation and legal form; empty where no more is left of it."""
    return _normal(unicodedata.normalize("NFKC", name))


def _normal(name: str) -> str:
    words = words_of(name.replace("&", " and ").replace("+", " and "))
    if not words:  # a name of signs only is that name
        return "".join(name.split())
    normal = " ".join(words)
    while (fewer := _less(normal)) != normal:
        normal = fewer
    return normal


def _less(name: str) -> str:
    words = without_forms(["and" if word in _AND else word for word in words_of(name)])
    if len(words) > 1 and words[-1] == "and":  # of GmbH & Co. KG
        words = words[:-1]
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join(words_of(" ".join(words)))


def spellings(name: str) -> frozenset[str]:
    """The normal name as it may be spelt, without blanks: ``Müller`` as ``muller`` and as ``mueller``."""
    composed = unicodedata.normalize("NFKC", name)
    normal = (_normal(composed), _normal(composed.translate(_UMLAUTS)))
    return frozenset(each.replace(" ", "") for each in normal if all(normal))


def distinguishing_words(name: str) -> list[tuple[str, ...]]:
    """The words by which a firm is searched, each in its spellings."""
    composed = unicodedata.normalize("NFKC", name)
    plain, german = (_normal(each).split() for each in (composed, composed.translate(_UMLAUTS)))
    pairs = zip(plain, german, strict=True) if len(plain) == len(german) else zip(plain, plain, strict=True)
    return [tuple(dict.fromkeys(pair)) for pair in pairs if pair[0] != "and"]


def same_name(one: str, other: str) -> bool:
    """Whether two names are one firm's; a name that is only a legal form matches none."""
    return bool(spellings(one) & spellings(other))


# -- tax numbers

_LABELS = re.compile(
    r"^(?:VATREGNO|VATREG|VATNUMBER|VATNO|VATID|VAT|USTIDNR|USTID|UST|UIDNR|UID|TIN|EIN|ABN|GSTIN|GSTNO|GST|TVA|BTWNR|BTW"
    r"|PIVA|PARTITAIVA|MVA|MOMSNR|MOMS|TAXID|TAXNO)(?=[A-Z]{0,3}\d)"
)
_OWN = (
    (re.compile(r"^(?:CHE|CH)(\d{9})(?:MWST|TVA|IVA|VAT)?$"), "CH"),
    (re.compile(r"^(\d{9})(?:MWST|TVA|IVA)$"), "CH"),
    (re.compile(r"^(?:NO)?(\d{9})MVA$"), "NO"),
    (re.compile(r"^(?:AT)?U(\d{8})$"), "AT"),
)
_PREFIXED = re.compile(r"^([A-Z]{2})(?=[A-Z]?\d)(.+)$")
_SHORTEST = 4
_EU_NAMES = {"EL": "GR", "XI": "GB", "UK": "GB"}  # how VAT calls countries otherwise than ISO 3166


def tax_number(number: str) -> tuple[str, str]:
    """A tax number as the country that its prefix names, if any, and the rest; nothing where it is none."""
    plain = re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKC", number).upper())
    plain = _LABELS.sub("", plain)
    country, bare = _parted(plain)
    bare = bare.lstrip("0")
    if len(bare) < _SHORTEST or not any(each.isdigit() for each in bare):
        return "", ""
    return country, bare


def _parted(plain: str) -> tuple[str, str]:
    for shape, country in _OWN:
        if match := shape.match(plain):
            return country, match[1]
    match = _PREFIXED.match(plain)
    if match:
        country = _EU_NAMES.get(match[1], match[1])
        if countries.is_code(country):
            return country, match[2]
    return "", plain


def same_tax_number(one: str, other: str) -> bool:
    """Whether two numbers are one, with their country's letters or without; of two countries they are two."""
    (country, bare), (other_country, other_bare) = tax_number(one), tax_number(other)
    return bool(bare) and bare == other_bare and (country == other_country or "" in (country, other_country))


# -- internet domains

_PUBLIC = """
gmail.com googlemail.com outlook.com outlook.de outlook.fr hotmail.com hotmail.co.uk hotmail.de
hotmail.fr hotmail.it live.com live.co.uk msn.com yahoo.com yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.de
yahoo.fr yahoo.it ymail.com rocketmail.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at
gmx.ch web.de gmx.com t-online.de freenet.de mail.com email.com proton.me protonmail.com pm.me
tutanota.com hey.com fastmail.com zoho.com mail.ru yandex.ru yandex.com bk.ru list.ru inbox.ru
rambler.ru qq.com 163.com 126.com sina.com foxmail.com naver.com hanmail.net daum.net orange.fr
wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it alice.it btinternet.com
virginmedia.com sky.com talktalk.net comcast.net verizon.net att.net sbcglobal.net cox.net bluewin.ch
hispeed.ch ziggo.nl kpnmail.nl telenet.be skynet.be seznam.cz centrum.cz wp.pl onet.pl o2.pl interia.pl
uol.com.br bol.com.br terra.com.br bigpond.com rediffmail.com linkedin.com facebook.com instagram.com
twitter.com x.com xing.com youtube.com sites.google.com google.com
"""
PUBLIC = frozenset(_PUBLIC.split())
"""Domains shared by many firms: mail providers, and sites that host other firms' pages."""

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.\-]*:)?//|^mailto:")
_DOMAIN = re.compile(r"^[a-z0-9_\-]+(\.[a-z0-9_\-]+)+$")


def domain(address: str) -> str:
    """The firm's own domain in a web or e-mail address, as the DNS has it; empty for one that all may use."""
    rest = _SCHEME.sub("", unicodedata.normalize("NFKC", address).strip().strip("<>").lower())
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].rstrip(">").strip()
    host = re.sub(r":\d*$", "", host).rstrip(".").removeprefix("www.")
    try:
        host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return host if _DOMAIN.match(host) and host not in PUBLIC else ""


def domains(customer: Customer) -> tuple[str, ...]:
    """The firm's own domains: its website's, and that of its e-mail addresses where it is another."""
    named = (domain(customer.website), *map(domain, re.split(r"[;,\s]+", customer.email)))
    return tuple(dict.fromkeys(each for each in named if each))


# -- firms


def likeness(one: Customer, other: Customer) -> tuple[Likeness, ...]:
    """In what two records are alike, the strongest first; nothing where they are two firms."""
    likenesses: list[Likeness] = []
    ours, theirs = one.tax_registrations, other.tax_registrations
    if any(same_tax_number(mine.number, its.number) for mine in ours for its in theirs):
        likenesses.append("tax_number")
    if names(one) & names(other):
        likenesses.append("name")
    if set(domains(one)) & set(domains(other)):
        likenesses.append("domain")
    return tuple(likenesses)


def names(customer: Customer) -> frozenset[str]:
    """All spellings of the names under which a firm is known."""
    return spellings(customer.legal_name) | spellings(customer.trading_name)


def fits(customer: Customer, name: str, number: str, its_domain: str) -> bool:
    """Whether a record's tax number, name or domain is the one asked for."""
    return (
        any(same_tax_number(number, each.number) for each in customer.tax_registrations)
        or bool(spellings(name) & names(customer))
        or domain(its_domain) in domains(customer)
    )


class DuplicateCandidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """An ERP customer that may be the same firm: `score` from 0 to 100, and why.

    One of another legal entity is shown only to who may see that entity.
    """

    instance: str
    customer_id: str
    legal_name: str
    score: int
    reasons: tuple[str, ...]
    selling_entity: str = ""
    other_entities: tuple[str, ...] = ()

    def is_of(self, entity: str) -> bool:
        """Whether it is the legal entity's; one without any is everyone's."""
        return self.selling_entity in (entity, "") or entity in self.other_entities


def questions(firm: Customer) -> list[tuple[str | None, str | None, str | None]]:
    """What to look for (name, tax number, domain): one question, or more where the firm has several."""
    known = (
        list(dict.fromkeys(name for name in (firm.legal_name, firm.trading_name) if name)),
        [each.number for each in firm.tax_registrations],
        list(domains(firm)),
    )
    return list(zip_longest(*known))


def candidates(
    firm: Customer, instance: str, customers: Iterable[Customer]
) -> tuple[DuplicateCandidate, ...]:
    """The customers of an instance that may be the same firm, the likeliest first."""
    scored = [_candidate(firm, instance, customer) for customer in customers]
    return tuple(sorted((c for c in scored if c.score), key=lambda c: (-c.score, c.customer_id)))


def _candidate(firm: Customer, instance: str, other: Customer) -> DuplicateCandidate:
    alike = likeness(firm, other)
    return DuplicateCandidate(
        instance=instance,
        customer_id=other.id,
        legal_name=other.legal_name,
        score=max((SCORES[each] for each in alike), default=0),
        reasons=tuple(_REASONS[each] for each in alike),
        selling_entity=other.selling_entity,
        other_entities=other.other_entities,
    )
