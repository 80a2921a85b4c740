"""Adding and changing channels and campaigns; their figures are pages of `reports/`."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles import forms, selectors
from roles.permissions import Permission, requires
from roles.services import campaigns as campaign_service
from roles.services import channels as service
from roles.views import acting, rights, today


@requires(Permission.MANAGE_COMPANY)
def channel_create(request):
    form = forms.ChannelCreateForm(request, initial={"kind": "paid", "status": "planned", "result_kpi": "cpa"})
    if form.attempt(service.create_channel, **acting(request), today=today(request)):
        messages.success(request, _("The channel is added."))
        return redirect("roles:channel-update", request.company.slug, form.result.code)
    return render(request, "roles/channel_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def channel_update(request, code):
    channel = _channel(request, code)
    initial = {name: getattr(channel, name) for name in service.FIELDS}
    form = forms.ChannelUpdateForm(
        request, initial={**initial, "owner": channel.owner_id, "coordinator": channel.coordinator_id}
    )
    if form.attempt(service.update_channel, **acting(request), today=today(request), channel=channel):
        messages.success(request, _("The channel is changed."))
        return redirect("roles:channel-update", request.company.slug, channel.code)
    campaigns = selectors.campaigns(company=request.company).filter(channel=channel)
    context = {"form": form, "channel": channel, "campaigns": campaigns, **rights(request)}
    return render(request, "roles/channel_update.html", context, status=form.status)


@requires(Permission.SET_PRIORITY)
def channel_priority(request, code):
    channel = _channel(request, code)
    initial = {"priority": channel.priority, "priority_reason": channel.priority_reason}
    form = forms.ChannelPriorityForm(request, initial=initial)
    if form.attempt(service.update_channel, **acting(request), today=today(request), channel=channel):
        messages.success(request, _("The priority is set: everybody sees it with its reason."))
        return redirect("roles:role-list", request.company.slug)
    return render(request, "roles/channel_priority.html", {"form": form, "channel": channel}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def campaign_create(request):
    initial = {"status": "active"}
    if channel := selectors.get_channel(company=request.company, code=request.GET.get("channel", "")):
        initial["channel"] = channel.pk
    form = forms.CampaignCreateForm(request, initial=initial)
    if form.attempt(campaign_service.create_campaign, **acting(request)):
        messages.success(request, _("The campaign is added."))
        return redirect("roles:channel-update", request.company.slug, form.result.channel.code)
    return render(request, "roles/campaign_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_COMPANY)
def campaign_update(request, pk):
    campaign = selectors.get_campaign(company=request.company, pk=pk)
    if campaign is None:
        raise Http404
    initial = {name: getattr(campaign, name) for name in campaign_service.FIELDS}
    form = forms.CampaignUpdateForm(request, initial=initial)
    if form.attempt(campaign_service.update_campaign, **acting(request), campaign=campaign):
        messages.success(request, _("The campaign is changed."))
        return redirect("roles:channel-update", request.company.slug, campaign.channel.code)
    return render(request, "roles/campaign_update.html", {"form": form, "campaign": campaign}, status=form.status)


def _channel(request, code: str):
    channel = selectors.get_channel(company=request.company, code=code)
    if channel is None:
        raise Http404
    return channel
