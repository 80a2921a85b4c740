"""Pages about being reached: the matrix, the log, tests, Telegram, and the link under an e-mail."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from mops.models import Delivery
from mops.notifications import log, unsubscribing
from mops.notifications.answers import attempts_of, last_answer
from mops.notifications.forms import BotForm, PreferenceForm
from mops.notifications.preferences import own_wishes, set_preferences
from mops.telegram import bots
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting


@requires(Permission.DO_TASKS)
def preference_update(request):
    """What reaches me, by which way and when."""
    mine = {"company": request.company, "person": request.person}
    form = PreferenceForm(request, own_wishes(**mine))
    if form.attempt(set_preferences, **mine):
        messages.success(request, _("Saved."))
        return redirect("mops:preference-update", request.company.slug)
    context = {
        "form": form, "bot": bots.bot_of(company=request.company), "chat": bots.chat_of(**mine),
        "manages": request.person.can(Permission.MANAGE_COMPANY),
    }  # fmt: skip
    return render(request, "mops/preference_update.html", context, status=form.status)


@requires(Permission.DO_TASKS)
@require_POST
def preference_test(request):
    """Send a test to myself and say what the server really answered."""
    way = request.POST.get("way", "")
    if way not in Delivery.Way.values:
        raise Http404
    try:
        done = log.send_test(company=request.company, person=request.person, way=way, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        say = messages.success if done.state == Delivery.State.SENT else messages.error
        say(request, _("Test: %(answer)s") % {"answer": last_answer(done)})
    return redirect("mops:preference-update", request.company.slug)


@requires(Permission.DO_TASKS)
def delivery_list(request):
    """What was sent to me, with every attempt; to everybody, for who manages the company."""
    manages = request.person.can(Permission.MANAGE_COMPANY)
    everybody = manages and request.GET.get("all") == "1"
    rows = log.visible(company=request.company, person=request.person, everybody=everybody)[: log.SHOWN]
    shown = [{"delivery": row, "answer": last_answer(row), "attempts": attempts_of(row)} for row in rows]
    return render(
        request, "mops/delivery_list.html", {"rows": shown, "manages": manages, "everybody": everybody}
    )  # fmt: skip


@requires(Permission.DO_TASKS)
@require_POST
def delivery_replay(request, pk):
    delivery = log.get_delivery(company=request.company, person=request.person, pk=pk)
    if delivery is None:
        raise Http404
    log.replay(**acting(request), delivery=delivery)
    messages.success(request, _("It goes out again within some seconds, with the same id."))
    return redirect("mops:delivery-list", request.company.slug)


@requires(Permission.MANAGE_COMPANY)
def telegram_update(request):
    """The company's bot."""
    form = BotForm(request)
    if form.attempt(bots.connect_bot, **acting(request)):
        messages.success(request, _("The bot @%(name)s is connected.") % {"name": form.result.username})
        return redirect("mops:telegram-update", request.company.slug)
    context = {
        "form": form, "bot": bots.bot_of(company=request.company), "linked": len(bots.linked_people(company=request.company)),
    }  # fmt: skip
    return render(request, "mops/telegram_update.html", context, status=form.status)


@requires(Permission.MANAGE_COMPANY)
@require_POST
def telegram_remove(request):
    bots.remove_bot(**acting(request))
    messages.success(request, _("The bot is removed, its token and all chats are forgotten."))
    return redirect("mops:telegram-update", request.company.slug)


@requires(Permission.DO_TASKS)
@require_POST
@never_cache
def telegram_link(request):
    """A code of this person, shown once: opened in Telegram it links the chat."""
    try:
        invitation = bots.invite(company=request.company, person=request.person, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("mops:preference-update", request.company.slug)
    return render(request, "mops/telegram_link.html", {"invitation": invitation})


@requires(Permission.DO_TASKS)
@require_POST
def telegram_unlink(request):
    bots.unlink(company=request.company, person=request.person)
    messages.success(request, _("Telegram is unlinked."))
    return redirect("mops:preference-update", request.company.slug)


@csrf_exempt
@never_cache
def unsubscribe(request, token):
    """The link of an e-mail: a look changes nothing, a POST switches its group off (mail programs post by themselves), or on again.

    No CSRF token and no sign-in: the signed link is the right to do just this.
    """
    found = unsubscribing.read(token)
    if found is None:
        raise Http404
    person, group = found
    done = ""
    if request.method == "POST":
        wanted = request.POST.get("again") == "1"
        unsubscribing.switch(person=person, group=group, wanted=wanted)
        done = "on" if wanted else "off"
    return render(request, "mops/unsubscribe.html", {"group": group, "of": person, "done": done, "token": token})
