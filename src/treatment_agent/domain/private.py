"""Personal data that cannot be printed by accident.

Names and texts travel as pydantic `SecretStr`; phones and emails as the two types below. `repr` and `str` are masked,
so an f-string, a log line or a traceback shows `***0117` and never the number. Reading one is explicit: `.reveal()`,
`.get_secret_value()`. Only `model_dump_json` writes them out in full: that is how the ledger stores them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

import phonenumbers
from pydantic import GetCoreSchemaHandler, PlainSerializer, SecretStr
from pydantic_core import CoreSchema, core_schema


def _written(value: SecretStr) -> str:
    # Half of a surrogate pair, as a broken export has it, cannot be stored; one bad name must not stop a whole list.
    return value.get_secret_value().encode("utf-8", "replace").decode("utf-8")


PersonalText = Annotated[SecretStr, PlainSerializer(_written, when_used="json")]
"""A name or other personal text: masked everywhere but in the ledger."""


# Plain North American notation, `(312) 555-0117` or `+13125550117`, is read here: ten times as fast as the library,
# with the same result (a property test compares them). Everything else goes to the library.
_PLAIN_NANP: Final = re.compile(r"[ ]?(?:(\+1|1)[ .-]?)?\(?([2-9]\d\d)\)?[ .-]?(\d{3})[ .-]?(\d{4})[ ]?", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class PhoneNumber:
    """A phone number in E.164 form (`+13125550117`). Build one from free text with `PhoneNumber.parse`."""

    e164: str

    @classmethod
    def parse(cls, text: str, *, region: str = "US") -> PhoneNumber:
        """Read a number as people write it: `(312) 555-0117`, `312.555.0117 x2`, `+52 55 1234 5678`.

        Args:
            text: The number in any common notation.
            region: Two-letter country assumed when there is no `+`.

        Raises:
            ValueError: it is not a possible number, or lacks its area code. The message does not repeat it.
        """
        plain = _PLAIN_NANP.fullmatch(text)
        if plain and (region == "US" or plain[1] == "+1"):
            return cls(f"+1{plain[2]}{plain[3]}{plain[4]}")
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            raise ValueError("not a phone number; write it like +13125550117 or (312) 555-0117") from None
        # `is_possible_number` also takes numbers without an area code: those cannot be reached from outside.
        if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
            raise ValueError("not a possible phone number: check the number of digits")
        return cls(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def reveal(self) -> str:
        """The number itself, for the one call that sends."""
        return self.e164

    def __repr__(self) -> str:
        return f"***{self.e164[-4:]}"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _text_schema(cls, cls.parse, lambda value: value.e164)


@dataclass(frozen=True, slots=True, repr=False)
class EmailAddress:
    """An email address, lower-cased."""

    address: str

    @classmethod
    def parse(cls, text: str) -> EmailAddress:
        """Read an address.

        Raises:
            ValueError: it has no `name@host.tld` form. The message does not repeat it.
        """
        address = text.strip().lower()
        name, _, host = address.rpartition("@")
        if not name or "." not in host.strip(".") or any(c.isspace() or c in "<>,;" for c in address):
            raise ValueError("not an email address; write it like name@example.com")
        return cls(address)

    def reveal(self) -> str:
        """The address itself, for the one call that sends."""
        return self.address

    def __repr__(self) -> str:
        return f"***@{self.address.rpartition('@')[2]}"

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _text_schema(cls, cls.parse, lambda value: value.address)


def _text_schema(cls: type, parse: Any, dump: Any) -> CoreSchema:
    from_text = core_schema.no_info_after_validator_function(parse, core_schema.str_schema())
    return core_schema.json_or_python_schema(
        json_schema=from_text,
        python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
        serialization=core_schema.plain_serializer_function_ser_schema(dump, when_used="json"),
    )
