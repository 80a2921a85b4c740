"""Who: the company and its people, hats, channels and campaigns; and the record of who did what."""

from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from roles.fields import MicrosField
from roles.permissions import Hat, Permission, RoleKind, allowed


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("Unknown time zone: %(name)s."), params={"name": name})


def in_language(ru: str, en: str) -> str:
    """The text in the reader's language, or in the other one where only that is written."""
    return (en or ru) if (get_language() or "ru").startswith("en") else (ru or en)


class UserManager(BaseUserManager):
    """People sign in by e-mail; the address is kept in lower case."""

    def get_by_natural_key(self, username):
        return self.get(email=username.lower())

    def create_user(self, email: str, password: str | None = None, **fields):
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields):
        return self.create_user(email, password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. One person may work in several companies: each is a Membership."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("Auto")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(max_length=5, default="ru", choices=[("ru", "Русский"), ("en", "English")])
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    def __str__(self):
        return self.name or self.email

    @property
    def short_name(self) -> str:
        """«М. Ершова» for «Марина Ершова»: initials glued to the surname; the e-mail when no name is known."""
        first, _space, last = self.name.partition(" ")
        return f"{first[0]}.\u00a0{last}" if last else str(self)


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


class Membership(CompanyOwned):
    """A person: one login in one company."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    is_active = models.BooleanField(default=True)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "user"], name="membership_once_per_company")]

    def __str__(self):
        return str(self.user)

    @cached_property
    def hats(self) -> tuple[Hat, ...]:
        """The hats worn today in the company's zone, those of absent people deputised included; one query, kept for the request."""
        from roles import selectors

        return selectors.hats_of(person=self)

    def can(self, permission: Permission | str, channel: "Channel | int | None" = None) -> bool:
        """May this person do it, company-wide or on this channel? The one question asked everywhere."""
        channel_id = channel.pk if isinstance(channel, Channel) else channel
        return self.is_active and allowed(self.hats, Permission(permission), channel_id)

    def wears(self, *kinds: RoleKind) -> bool:
        return any(hat.kind in kinds for hat in self.hats)


class Role(CompanyOwned):
    """A hat: a function that lives without people. What it says stands in its versions."""

    code = models.SlugField(max_length=40)
    kind = models.CharField(max_length=20, choices=RoleKind.choices())
    is_builtin = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="role_code_once_per_company")]

    def __str__(self):
        return self.code


class Versioned(CompanyOwned):
    """A text or rule that changes only by a new version with a reason; the current one has no `superseded_at`."""

    number = models.PositiveIntegerField(default=1)
    valid_from = models.DateField()
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey("roles.Membership", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class RoleVersion(Versioned):
    """What a role is for. `duties`: [{"key", "ru", "en", "cadence": day|week|month|quarter}]; `kpis`: KPI codes, first the main one."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="versions")
    name_ru = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    mission_ru = models.TextField(blank=True)
    mission_en = models.TextField(blank=True)
    duties = models.JSONField(default=list)
    kpis = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "role", "number"], name="role_version_number_once"),
            models.UniqueConstraint(
                fields=["company", "role"], condition=Q(superseded_at=None), name="role_has_one_current_version"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        return in_language(self.name_ru, self.name_en)

    @property
    def mission(self) -> str:
        return in_language(self.mission_ru, self.mission_en)

    @property
    def duty_texts(self) -> list[str]:
        return [in_language(duty.get("ru", ""), duty.get("en", "")) for duty in self.duties]


class Channel(CompanyOwned):
    """A way to customers with one owner, one coordinator and one result KPI. Budgets are money: of a month, and of a test."""

    class Kind(models.TextChoices):
        PAID = "paid", _("Paid")
        ORGANIC = "organic", _("Organic")
        PR = "pr", _("PR")
        CRM = "crm", _("CRM")
        SITE = "site", _("Site")
        PARTNER = "partner", _("Partners")
        OFFLINE = "offline", _("Offline")

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        TESTING = "testing", _("testing")
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")

    class Priority(models.TextChoices):
        GROW = "grow", _("grow")
        HOLD = "hold", _("hold")
        LATER = "later", _("later")

    RUNNING = (Status.TESTING, Status.ACTIVE)

    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PLANNED)
    priority = models.CharField(_("priority"), max_length=10, choices=Priority, default=Priority.HOLD)
    priority_reason = models.CharField(_("why this priority"), max_length=300, blank=True)
    owner = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_channels"
    )
    coordinator = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="coordinated_channels"
    )
    result_kpi = models.SlugField(_("result KPI"), max_length=40, default="cpa")
    monthly_budget = MicrosField(_("budget of the month"), null=True, blank=True)
    test_budget = MicrosField(
        _("budget of a test"), null=True, blank=True, help_text="of all its days; of the month where none is set"
    )
    tolerance = MicrosField(_("tolerance, a share"), null=True, blank=True)
    stop_loss = MicrosField(_("stop-loss"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["company", "code"], name="channel_code_once_per_company"),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | Q(status__in=["planned", "stopped"]),
                name="running_channel_has_owner",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_running(self) -> bool:
        return self.status in self.RUNNING


class Campaign(CompanyOwned):
    """A part of a channel with its own spend, budget and stop-loss; `external_id` is the id in the source."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="campaigns")
    external_id = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Channel.Status, default=Channel.Status.ACTIVE)
    series = models.CharField(max_length=80, blank=True)
    budget = MicrosField(null=True, blank=True)
    tolerance = MicrosField(null=True, blank=True)
    stop_loss = MicrosField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["company", "channel", "external_id"], name="campaign_once_per_channel")
        ]

    def __str__(self):
        return self.name

    @property
    def is_running(self) -> bool:
        return self.status in Channel.RUNNING


class Appointment(CompanyOwned):
    """Role × person × (channel) × from–to, with a deputy. Both days are included; an open end is null."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="appointments")
    person = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="appointments")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, blank=True, related_name="appointments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    hours_per_week = models.PositiveSmallIntegerField(null=True, blank=True)
    interim = models.BooleanField(
        default=False, help_text="fell to this person when the holder left: the role is shown vacant"
    )
    deputy = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="deputy_for")
    appointed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="appointment_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(deputy=F("person")), name="nobody_deputises_themselves"),
        ]

    def __str__(self):
        return f"{self.role_id} × {self.person_id}"


class Absence(CompanyOwned):
    """Days on which a person is away (both included): their deputies act meanwhile."""

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="absences")
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="absence_ends_after_start")
        ]

    def __str__(self):
        return f"{self.starts_on}–{self.ends_on}"


class AuditEvent(CompanyOwned):
    """Who did what, when and why; append-only, refused UPDATE and DELETE by the database. Ordered by id."""

    at = models.DateTimeField()
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=60, help_text="service name: sign_decision, record_facts …")
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["company", "object_type", "object_id"], name="audit_by_object")]

    def __str__(self):
        return f"{self.verb} {self.object_type} {self.object_id}"


class ApiToken(CompanyOwned):
    """A key of one person in one company for the REST API. Only its SHA-256 is kept; the first characters tell them apart."""

    SCOPES = ("read", "facts:write", "reports:write", "decisions:write", "admin")

    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("what for"), max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return self.name

    def is_valid(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at

    @staticmethod
    def default_lifetime() -> timedelta:
        return timedelta(days=365)


class IdempotencyKey(CompanyOwned):
    """One `Idempotency-Key` of one token (or of one person's browser session): claimed, then completed with the answer."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    person = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="null while the first request is running")
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "token", "key"], condition=Q(token__isnull=False), name="idempotency_key_per_token"
            ),
            models.UniqueConstraint(
                fields=["company", "person", "key"], condition=Q(token=None), name="idempotency_key_per_person"
            ),
        ]

    def __str__(self):
        return self.key
