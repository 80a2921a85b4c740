"""Which days are worked: a country's production calendar, and above it the days that a company has named itself.

The Russian calendar with its transfers (decrees of the Government, 2024 to 2027; later years by the Labour Code alone)
comes from the library `holidays`. Pure: dates in, answers out; no Django here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import holidays

RUSSIA, PLAIN = "RU", ""
"""The countries whose calendar a company may keep; PLAIN: Monday to Friday, no holidays."""
LONGEST_REST = 60
"""Days in a row that may be off; beyond that a deadline no longer waits for a working day."""
DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def _exceptions(country: str, year: int) -> dict[date, bool]:
    """Days of a year that are unlike their weekday: a holiday on Monday to Friday False, a worked Saturday True."""
    calendar = holidays.country_holidays(country, years=year)
    days = (date(year, 1, 1) + DAY * number for number in range(366))
    worked = {day: calendar.is_working_day(day) for day in days if day.year == year}
    return {day: works for day, works in worked.items() if works != (day.weekday() < 5)}


def holiday_name(country: str, day: date, language: str) -> str:
    """What a day is called in this language (`ru` or `en`); empty for a usual one."""
    if not country:
        return ""
    spoken = "ru" if language == "ru" else "en_US"
    return holidays.country_holidays(country, years=day.year, language=spoken).get(day) or ""


@dataclass(frozen=True)
class WorkingDays:
    """The calendar of a company. `own`: its own days, worked (True) or off (False), above those of the country."""

    country: str = PLAIN
    own: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        if day in self.own:
            return self.own[day]
        usual = day.weekday() < 5
        return _exceptions(self.country, day.year).get(day, usual) if self.country else usual

    def next_working(self, day: date) -> date:
        """The day itself or the next one that is worked; the day itself where everything is off for two months."""
        for number in range(LONGEST_REST):
            if self.is_working(day + DAY * number):
                return day + DAY * number
        return day

    def works_in(self, monday: date) -> bool:
        """Is any day of this week worked?"""
        return any(self.is_working(monday + DAY * number) for number in range(7))


EVERY_WEEKDAY = WorkingDays()
