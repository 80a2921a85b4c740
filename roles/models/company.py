"""The tenant, and the abstract row that belongs to one."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("Unknown time zone: %(name)s."), params={"name": name})


def in_language(ru: str, en: str) -> str:
    """The text in the reader's language, or in the other one where only that is written."""
    return (en or ru) if (get_language() or "ru").startswith("en") else (ru or en)


class Company(models.Model):
    """The tenant. Every other row of the product belongs to exactly one."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=120)
    tagline = models.CharField(_("what the company does"), max_length=200, blank=True)
    timezone = models.CharField(_("time zone"), max_length=60, default="Europe/Moscow", validators=[validate_timezone])
    language = models.CharField(
        _("language"), max_length=5, default="ru", choices=[("ru", "Русский"), ("en", "English")]
    )
    currency = models.CharField(_("currency"), max_length=3, default="RUB")
    evaluate_at = models.TimeField(_("stop-rules are evaluated at"), default=time(6, 0))
    is_sample = models.BooleanField(default=False)
    erasing = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self):
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local_date(self, at: datetime) -> date:
        """The company's calendar date at a moment (an aware datetime)."""
        return at.astimezone(self.zone).date()


class CompanyOwned(models.Model):
    """A row of one company. The scoped manager refuses a query outside a company's scope."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")

    objects = ScopedManager(company="company")

    class Meta:
        abstract = True
