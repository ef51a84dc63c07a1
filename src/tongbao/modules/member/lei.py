"""Check digits of Legal Entity Identifiers: ISO 17442-1, by ISO/IEC 7064 MOD 97-10."""

from typing import Final

MODULUS: Final = 97
RADIX: Final = 36
FIRST_CHECK: Final = 2
LAST_CHECK: Final = 98


def check_digits_of(base: str) -> str:
    """The two digits that follow the first 18 characters, each a digit or a capital letter."""
    return f"{LAST_CHECK - int(_as_decimal(base + '00')) % MODULUS:02d}"


def is_lei(text: str) -> bool:
    """Whether 20 characters end with their check digits.

    00, 01 and 99 would leave the same remainder as 97, 98 and 02: they are no check digits, so an
    entity has one identifier.
    """
    is_check = FIRST_CHECK <= int(text[-2:]) <= LAST_CHECK
    return is_check and int(_as_decimal(text)) % MODULUS == 1


def _as_decimal(text: str) -> str:
    """Digits as they are, and 10 to 35 for the letters A to Z."""
    return "".join(str(int(character, RADIX)) for character in text)
