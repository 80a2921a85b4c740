"""Links to the business's documents: of channels, of roles, of the company."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from roles import registry, registry_forms, selectors
from roles.permissions import Permission, allowed_somewhere, requires
from roles.services import documents as service
from roles.views import acting, today


@requires(Permission.READ)
def document_list(request):
    """Everybody's to read; `?channel=<code>` and `?role=<id>` narrow it."""
    channel, role = request.GET.get("channel", ""), request.GET.get("role", "")
    context = {
        "lines": registry.document_lines(company=request.company, person=request.person, channel=channel, role=role),
        "keeps": allowed_somewhere(request.person.hats, Permission.KEEP_ACCESSES),
        "channels": selectors.bare_channels(company=request.company), "channel": channel,
        "role_names": selectors.role_names(company=request.company), "role": role,
    }  # fmt: skip
    return render(request, "roles/document_list.html", context)


@requires(Permission.KEEP_ACCESSES, somewhere=True)
def document_create(request):
    asked = {name: request.GET[name] for name in ("channel", "role") if name in request.GET}
    form = registry_forms.DocumentForm(request, initial={"owner": request.person.pk, **asked})
    if form.attempt(service.create_document, **acting(request), today=today(request)):
        messages.success(request, _("The document is in the list."))
        return redirect("roles:document-list", request.company.slug)
    return render(request, "roles/document_create.html", {"form": form}, status=form.status)


@requires(Permission.KEEP_ACCESSES, somewhere=True)
def document_update(request, pk):
    document = _document(request, pk)
    initial = {name: getattr(document, name) for name in ("title", "url", "place_is_ours")}
    initial |= {"owner": document.owner_id, "channel": document.channel_id, "role": document.role_id}
    form = registry_forms.DocumentForm(request, initial=initial)
    if form.attempt(service.update_document, **acting(request), document=document):
        messages.success(request, _("Saved."))
        return redirect("roles:document-list", request.company.slug)
    return render(request, "roles/document_update.html", {"form": form, "document": document}, status=form.status)


@requires(Permission.KEEP_ACCESSES, somewhere=True)
def document_remove(request, pk):
    document = _document(request, pk)
    if request.method == "POST":
        service.remove_document(**acting(request), document=document)
        messages.success(request, _("The link is out of the list; the document stays where it is."))
        return redirect("roles:document-list", request.company.slug)
    return render(request, "roles/document_remove.html", {"document": document})


def _document(request, pk: int):
    document = registry.get_document(company=request.company, pk=pk)
    if document is None:
        raise Http404
    if not registry.may_keep(request.person, document.channel_id):
        raise PermissionDenied(Permission.KEEP_ACCESSES.label)
    return document
