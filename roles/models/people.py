"""Logins, the people they are in a company, and the days on which these are away."""

from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from roles.models.channels import Channel
from roles.models.company import CompanyOwned
from roles.permissions import Hat, Permission, RoleKind, allowed


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

    def can(self, permission: Permission | str, channel: Channel | int | None = None) -> bool:
        """May this person do it, company-wide or on this channel? The one question asked everywhere."""
        channel_id = channel.pk if isinstance(channel, Channel) else channel
        return self.is_active and allowed(self.hats, Permission(permission), channel_id)

    def wears(self, *kinds: RoleKind) -> bool:
        return any(hat.kind in kinds for hat in self.hats)


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
