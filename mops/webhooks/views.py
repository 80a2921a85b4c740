"""Pages of webhooks: endpoints, their log, a test with the real answer."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from mops.models import WebhookDelivery, WebhookEndpoint
from mops.notifications.answers import attempts_of, last_answer
from mops.webhooks import endpoints, sending
from mops.webhooks.catalogue import LABELS
from mops.webhooks.forms import EndpointForm
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting


@requires(Permission.MANAGE_COMPANY)
def webhook_list(request):
    return render(request, "mops/webhook_list.html", {"rows": endpoints.endpoints_of(company=request.company)})


@requires(Permission.MANAGE_COMPANY)
@never_cache
def webhook_create(request):
    form = EndpointForm(request)
    if form.attempt(endpoints.create_endpoint, **acting(request)):
        # Shown on this very answer: a redirect would have to keep the secret somewhere.
        endpoint, secret = form.result
        return render(request, "mops/webhook_secret.html", {"endpoint": endpoint, "secret": secret}, status=201)
    return render(request, "mops/webhook_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def webhook_detail(request, pk):
    """The endpoint, what it is told, and its last deliveries."""
    endpoint = _endpoint(request, pk)
    rows = endpoints.deliveries_of(company=request.company, endpoint=endpoint)[: endpoints.SHOWN]
    context = {
        "endpoint": endpoint, "told": [str(LABELS[name]) for name in endpoint.events if name in LABELS],
        "rows": [{"delivery": row, "label": LABELS.get(row.kind, row.kind), "answer": last_answer(row)} for row in rows],
    }  # fmt: skip
    return render(request, "mops/webhook_detail.html", context)


@requires(Permission.MANAGE_COMPANY)
def webhook_update(request, pk):
    endpoint = _endpoint(request, pk)
    form = EndpointForm(request, initial={name: getattr(endpoint, name) for name in endpoints.FIELDS})
    if form.attempt(endpoints.update_endpoint, **acting(request), endpoint=endpoint):
        messages.success(request, _("Saved."))
        return redirect("mops:webhook-detail", request.company.slug, pk)
    return render(request, "mops/webhook_create.html", {"form": form, "endpoint": endpoint}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
@never_cache
@require_POST
def webhook_secret(request, pk):
    endpoint = _endpoint(request, pk)
    secret = endpoints.renew_secret(**acting(request), endpoint=endpoint)
    return render(request, "mops/webhook_secret.html", {"endpoint": endpoint, "secret": secret})


@requires(Permission.MANAGE_COMPANY)
@require_POST
def webhook_switch(request, pk):
    endpoint = _endpoint(request, pk)
    turned_on = request.POST.get("on") == "1"
    endpoints.switch_endpoint(**acting(request), endpoint=endpoint, on=turned_on)
    messages.success(request, _("The endpoint is on.") if turned_on else _("The endpoint is paused."))
    return redirect("mops:webhook-detail", request.company.slug, pk)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def webhook_test(request, pk):
    """Send a test now and say what the receiver answered."""
    endpoint, now = _endpoint(request, pk), timezone.now()
    try:
        made = endpoints.test_delivery(company=request.company, endpoint=endpoint, at=now)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        done = sending.send_now(made, now)
        say = messages.success if done.state == WebhookDelivery.State.SENT else messages.error
        say(request, _("Test: %(answer)s") % {"answer": last_answer(done)})
    return redirect("mops:webhook-detail", request.company.slug, pk)


@requires(Permission.MANAGE_COMPANY)
def webhook_delete(request, pk):
    endpoint = _endpoint(request, pk)
    if request.method != "POST":
        return render(request, "mops/webhook_delete.html", {"endpoint": endpoint})
    endpoints.delete_endpoint(**acting(request), endpoint=endpoint)
    messages.success(request, _("The endpoint is deleted with its log."))
    return redirect("mops:webhook-list", request.company.slug)


@requires(Permission.MANAGE_COMPANY)
def webhook_delivery_detail(request, pk):
    """What was sent, and every attempt with its answer."""
    delivery = _delivery(request, pk)
    context = {
        "delivery": delivery, "endpoint": delivery.endpoint, "attempts": attempts_of(delivery),
        "label": LABELS.get(delivery.kind, delivery.kind),
    }  # fmt: skip
    return render(request, "mops/webhook_delivery_detail.html", context)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def webhook_delivery_replay(request, pk):
    delivery = _delivery(request, pk)
    try:
        endpoints.replay(**acting(request), delivery=delivery)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("It goes out again within some seconds, with the same id."))
    return redirect("mops:webhook-delivery-detail", request.company.slug, pk)


def _endpoint(request, pk: int) -> WebhookEndpoint:
    endpoint = endpoints.get_endpoint(company=request.company, pk=pk)
    if endpoint is None:
        raise Http404
    return endpoint


def _delivery(request, pk: int) -> WebhookDelivery:
    delivery = endpoints.get_delivery(company=request.company, pk=pk)
    if delivery is None:
        raise Http404
    return delivery
