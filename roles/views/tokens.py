"""API tokens: made once, shown once, revoked at any time."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from roles import forms, tokens
from roles.permissions import Permission, requires
from roles.views import acting


@requires(Permission.DO_TASKS)
def token_list(request):
    rows = tokens.visible_tokens(company=request.company, person=request.person)
    return render(request, "roles/token_list.html", {"rows": rows, "now": timezone.now()})


@requires(Permission.DO_TASKS)
@never_cache
def token_create(request):
    form = forms.TokenForm(request, initial={"scopes": ["read"], "days": 365})
    if form.attempt(_create, **acting(request)):
        # Shown on this very answer: a redirect would have to keep the secret somewhere.
        token, secret = form.result
        return render(request, "roles/token_shown.html", {"token": token, "secret": secret}, status=201)
    return render(
        request, "roles/token_create.html", {"form": form, "scope_words": tokens.SCOPE_WORDS}, status=form.status
    )


def _create(*, company, by, at, name, scopes, days):
    return tokens.create_token(
        company=company, person=by, by=by, at=at, name=name, scopes=scopes, lifetime=timedelta(days=days)
    )


@requires(Permission.DO_TASKS)
@require_POST
def token_revoke(request, pk):
    token = tokens.get_token(company=request.company, person=request.person, pk=pk)
    if token is None:
        raise Http404
    tokens.revoke_token(**acting(request), token=token)
    messages.success(request, _("The token is revoked: it does not work any more."))
    return redirect("roles:token-list", request.company.slug)
