"""Who calls the API: a bearer token of one person in one company, or the browser's session (with CSRF)."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from roles import tokens
from roles.models import ApiToken

TOUCH_EVERY = timedelta(minutes=5)


def token_of(request) -> ApiToken | None:
    """The valid token a call carries, with its person, login and company; read once, whoever asks first."""
    if not hasattr(request, "api_token"):
        kind, _space, secret = get_authorization_header(request).partition(b" ")
        with scopes_disabled():
            bearer = kind.lower() == b"bearer"
            request.api_token = (
                tokens.find(secret=secret.strip().decode("latin-1"), at=timezone.now()) if bearer else None
            )
    return request.api_token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; an unknown, expired or revoked token is 401 whatever the company."""

    def authenticate(self, request):
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(_("The Authorization header must read: Bearer <token>."))
        token = token_of(request._request)
        if token is None:
            raise AuthenticationFailed(_("The token is unknown, has expired or was revoked."))
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > TOUCH_EVERY:
            with scopes_disabled():
                tokens.touch(token=token, at=now)
        return token.person.user, token

    def authenticate_header(self, request):
        return "Bearer"


class BrowserSession(SessionAuthentication):
    """The signed-in browser; every write needs the CSRF token."""


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "roles.rest.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "roles.rest.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema):
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
