"""The Salesforce stand-in's record ids: key prefixes, the 15-character form and the checksum of the 18."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def to_base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 62)
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits))


def checksum(short: str) -> str:
    """The three characters that tell which letters of a 15-character id are capitals."""
    blocks = (short[0:5], short[5:10], short[10:15])
    return "".join(
        CHECKSUM[sum(1 << place for place, char in enumerate(block) if "A" <= char <= "Z")]
        for block in blocks
    )


def full_id(text: str) -> str | None:
    """The 18-character form of an id, or None if the text is no id at all."""
    if len(text) not in (15, 18) or not text.isalnum() or not text.isascii():
        return None
    short = text[:15]
    long = short + checksum(short)
    if len(text) == 18 and text[15:].upper() != long[15:]:
        return None
    return long


def make_id(prefix: str, instance: int, number: int) -> str:
    """A record id: three characters of object, five of instance, seven of number, three of checksum."""
    short = f"{prefix}{to_base62(instance % 62**5, 5)}{to_base62(number, 7)}"
    return short + checksum(short)
