"""Prices of a model: list prices, and price bands by prompt size and time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from attrs import Attribute, field, fields, frozen

from modelmesh.errors import ConfigurationError

MOST_PER_1K_TOKENS = 100.0
"""Highest plausible price in USD. A higher price is a mistake, such as a price of a million tokens for a thousand."""

MOST_PER_REQUEST = 1000.0
"""Highest plausible price of a request, or of one unit such as an image, in USD."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_S = 86400
_THURSDAY = 3  # the weekday of day 0 of Unix time
_EPOCH = date(1970, 1, 1).toordinal()
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")


def _bad(what: str) -> ConfigurationError:
    return ConfigurationError(f"pricing: {what}.")


def _is_price(_: Any, attribute: Attribute[Any], value: Any) -> None:
    most = MOST_PER_1K_TOKENS if attribute.name.endswith("per_1k_tokens") else MOST_PER_REQUEST
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and 0 <= value <= most):
        message = f"{attribute.name} must be USD from 0 to {most:g}, or left out where it is unknown, not {value!r}"
        raise _bad(message)


def _is_text(_: Any, attribute: Attribute[Any], value: Any) -> None:
    if value is not None and not isinstance(value, str):
        message = f"{attribute.name} must be text, not {value!r}"
        raise _bad(message)


def _is_size(_: Any, attribute: Attribute[Any], value: Any) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        message = f"{attribute.name} must be a whole number of tokens, 0 or more, not {value!r}"
        raise _bad(message)


def _several(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen
class PriceBand:
    """Prices that replace the list prices while all conditions are met. Prices that the band omits stay.

    Attributes:
        above_prompt_tokens: Applies to prompts of more tokens than this, for all tokens of such a request.
        hours: Applies in these hours of a day, UTC, for example ``01:00-04:00``, or ``22:00-02:00`` over midnight. The end is
            exclusive.
        days: Applies on these days, UTC: ``mon`` … ``sun``.
        since: Applies from the beginning of this day, UTC, ISO 8601.
        input_per_1k_tokens: As in :class:`ModelPricing`.
        output_per_1k_tokens: As in :class:`ModelPricing`.
        cached_input_per_1k_tokens: As in :class:`ModelPricing`.
        cache_write_per_1k_tokens: As in :class:`ModelPricing`.
        per_request: As in :class:`ModelPricing`.

    Raises:
        ConfigurationError: A price or a condition is none.
    """

    above_prompt_tokens: int | None = field(default=None, validator=_is_size)
    hours: tuple[str, ...] = field(default=(), converter=_several)
    days: tuple[str, ...] = field(default=(), converter=_several)
    since: str | None = None
    input_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    output_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    cached_input_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    cache_write_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    per_request: float | None = field(default=None, validator=_is_price)
    _spans: tuple[tuple[int, int], ...] = field(init=False, repr=False, eq=False)
    _weekdays: frozenset[int] = field(init=False, repr=False, eq=False)
    _first_day: int | None = field(init=False, repr=False, eq=False)

    @_spans.default
    def _read_hours(self) -> tuple[tuple[int, int], ...]:
        return tuple(_seconds(span) for span in self.hours)

    @_weekdays.default
    def _read_days(self) -> frozenset[int]:
        unknown = [day for day in self.days if day not in DAYS]
        if unknown:
            message = f"days must be of {', '.join(DAYS)}, not {unknown[0]!r}"
            raise _bad(message)
        return frozenset(DAYS.index(day) for day in self.days)

    @_first_day.default
    def _read_since(self) -> int | None:
        if self.since is None:
            return None
        try:
            return date.fromisoformat(self.since).toordinal() - _EPOCH
        except (TypeError, ValueError):
            message = f"since must be a day such as '2027-01-01', not {self.since!r}"
            raise _bad(message) from None

    @property
    def timed(self) -> bool:
        """Whether the band depends on the time."""
        return bool(self.hours or self.days or self.since)

    def fits(self, prompt_tokens: int) -> bool:
        """Return whether the band applies to prompts of this size."""
        return self.above_prompt_tokens is None or prompt_tokens > self.above_prompt_tokens

    def holds_at(self, when: float) -> bool:
        """Return whether the band applies at this time, Unix seconds."""
        day, second = divmod(when, DAY_S)
        if self._first_day is not None and day < self._first_day:
            return False
        if self._weekdays and (int(day) + _THURSDAY) % len(DAYS) not in self._weekdays:
            return False
        return not self._spans or any(_is_within(second, span) for span in self._spans)


def _seconds(span: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(span) if isinstance(span, str) else None
    if found is None:
        message = f"hours must be written like '01:00-04:00', UTC, not {span!r}"
        raise _bad(message)
    begin, end = (int(hour) * 3600 + int(minute) * 60 for hour, minute in zip(*[filter(None, found.groups())] * 2, strict=True))
    if begin == end:
        message = f"hours {span!r} are none; leave them out for a whole day"
        raise _bad(message)
    return begin, end


def _is_within(second: float, span: tuple[int, int]) -> bool:
    begin, end = span
    return begin <= second < end if begin < end else second >= begin or second < end


def _bands(value: Iterable[Any]) -> tuple[PriceBand, ...]:
    bands = tuple(value)
    for band in bands:
        if not isinstance(band, PriceBand):
            message = f"bands must be price bands, not {band!r}"
            raise _bad(message)
    return bands


@frozen
class UnitPrices:
    """Prices in USD of units other than text tokens. ``None``: the model is not priced by this unit.

    Attributes:
        per_image: Price of a generated image.
        per_audio_minute: Price of a minute of audio in the request.
        per_1k_characters: Price of 1,000 characters of the text to speak.
        per_page: Price of a page of a document.
        per_search: Price of a search. Vendors of reranking count several for a long list of documents.
        audio_input_per_1k_tokens: Price of 1,000 prompt tokens of audio.
        audio_output_per_1k_tokens: Price of 1,000 completion tokens of audio.
        image_input_per_1k_tokens: Price of 1,000 prompt tokens of images.
        image_output_per_1k_tokens: Price of 1,000 completion tokens of images.

    Raises:
        ConfigurationError: A price is negative, no number, or larger than any price can be.
    """

    per_image: float | None = field(default=None, validator=_is_price)
    per_audio_minute: float | None = field(default=None, validator=_is_price)
    per_1k_characters: float | None = field(default=None, validator=_is_price)
    per_page: float | None = field(default=None, validator=_is_price)
    per_search: float | None = field(default=None, validator=_is_price)
    audio_input_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    audio_output_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    image_input_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    image_output_per_1k_tokens: float | None = field(default=None, validator=_is_price)

    @classmethod
    def split(cls, prices: Mapping[str, Any]) -> tuple[dict[str, Any], UnitPrices | None]:
        """Return the prices of a flat map that are not of units, and those of units, ``None`` without any.

        Args:
            prices: Prices of both kinds, as in a catalogue row and in the configuration.
        """
        others = {name: price for name, price in prices.items() if name not in UNIT_PRICES}
        stated = {name: prices[name] for name in UNIT_PRICES if prices.get(name) is not None}
        return others, cls(**stated) if stated else None


UNIT_PRICES: tuple[str, ...] = tuple(one.name for one in fields(UnitPrices))
"""Names of the prices of units in a catalogue row."""


@frozen
class ModelPricing:
    """List price in USD. ``None`` is unknown, which is not free.

    Attributes:
        input_per_1k_tokens: Price of 1,000 prompt tokens.
        output_per_1k_tokens: Price of 1,000 completion tokens.
        per_request: Price of a request, independent of its size.
        source: Source of the price.
        as_of: Date of the source, ISO 8601.
        cached_input_per_1k_tokens: Price of 1,000 prompt tokens read from the vendor's cache. Unknown: the price of other prompt
            tokens.
        cache_write_per_1k_tokens: Price of 1,000 prompt tokens written to the vendor's cache. Unknown: as above.
        bands: Other prices for long prompts, by time of day, or from a date. Of several matching bands the last one counts,
            for each price separately.
        units: Prices of images, audio, characters, pages and searches. A catalogue row and the configuration state them in the
            same map as the other prices.

    Raises:
        ConfigurationError: A price is negative, no number, or larger than any price can be.
    """

    input_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    output_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    per_request: float | None = field(default=None, validator=_is_price)
    source: str | None = field(default=None, validator=_is_text)
    as_of: str | None = field(default=None, validator=_is_text)
    cached_input_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    cache_write_per_1k_tokens: float | None = field(default=None, validator=_is_price)
    bands: tuple[PriceBand, ...] = field(default=(), converter=_bands)
    units: UnitPrices | None = None

    @property
    def origin(self) -> str:
        """Source and date of the price as text."""
        return f"{self.source or 'source unknown'}{f' ({self.as_of})' if self.as_of else ''}"

    @property
    def known(self) -> bool:
        """Whether any price of a request is known."""
        stated = self.input_per_1k_tokens, self.output_per_1k_tokens, self.per_request
        return any(price is not None for price in stated) or bool(self.bands) or self.units is not None
