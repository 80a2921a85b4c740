"""`/imports/`: a file by API, its state, its undoing."""

from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from kpis import problems
from kpis.answers import BOTH, CAMPAIGNS, ORDERS
from kpis.api.facts import BadQuery, refuse_beyond
from kpis.models import Import
from kpis.progress import Written, written
from kpis.selectors import imports as reads
from kpis.services import imports as writes
from kpis.services.sources import source_for_api
from roles.permissions import Permission
from roles.refusals import FieldError
from roles.rest.pagination import CursorPages
from roles.rest.problems import CONTENT_TYPE, Problem
from roles.rest.viewsets import CompanyViewSet

ENVELOPE = 64 * 1024


class ImportErrorRow(serializers.Serializer):
    """One wrong cell: the row as a spreadsheet counts it, the column's heading, a stable code and what to do."""

    row = serializers.IntegerField(required=False)
    field = serializers.CharField(required=False)
    code = serializers.CharField()
    value = serializers.CharField(required=False)
    message = serializers.CharField()


class ImportOut(serializers.ModelSerializer):
    """A load of facts."""

    source = serializers.CharField(source="source.code")
    rows_written = serializers.SerializerMethodField(help_text="rows that are written, while they are; else null")
    written_share = serializers.SerializerMethodField(
        help_text="of the file, in per cent; null when nothing is being written"
    )
    errors = serializers.SerializerMethodField()

    class Meta:
        model = Import
        fields = (
            "id", "source", "state", "filename", "profile", "currency", "rate", "scale", "rows_read", "read_share", "rows_written", "written_share", "created", "changed", "unchanged", "first_day", "last_day",
            "errors", "created_at", "finished_at",
        )  # fmt: skip

    def get_rows_written(self, load) -> int | None:
        told = self._written(load)
        return told and told.rows

    def get_written_share(self, load) -> int | None:
        told = self._written(load)
        return told and told.share

    def _written(self, load) -> Written | None:
        """Asked once for all loads of the answer."""
        if "written" not in self.context:
            shown = self.parent.instance if self.parent else [self.instance]
            self.context["written"] = written(shown)
        return self.context["written"].get(load.pk)

    @extend_schema(responses=ImportErrorRow(many=True))
    def get_errors(self, load) -> list:
        return problems.shown(load.errors)


ImportUpload = inline_serializer(
    "ImportUpload",
    {
        "file": serializers.FileField(),
        "source": serializers.CharField(max_length=40),
        "profile": serializers.CharField(
            required=False, help_text="name of the reader; recognised by the heading without it"
        ),
        "rate": serializers.DecimalField(
            19,
            6,
            required=False,
            help_text="what one unit of the file's currency is in the company's, where they differ",
        ),
        "scale": serializers.DecimalField(
            19,
            6,
            required=False,
            help_text="what its money is multiplied by (0.01: kopecks), asked where it is far from the loads before it",
        ),
        "order": serializers.ChoiceField(
            ORDERS, required=False, help_text="how 03/04/2026 is read, asked where the file does not tell"
        ),
        "first_day": serializers.DateField(required=False, help_text="of the period of a file without days"),
        "last_day": serializers.DateField(required=False, help_text="its rows are spread evenly over these days"),
        "spread": serializers.BooleanField(required=False, help_text="rows of several days may be spread over them"),
        "totals": serializers.ChoiceField(
            (CAMPAIGNS, BOTH),
            required=False,
            help_text="rows without a campaign beside campaigns: totals to leave out, or figures of their own",
        ),
    },
)
ImportId = inline_serializer("ImportId", {"id": serializers.IntegerField()})
UndoResult = inline_serializer(
    "UndoResult", {name: serializers.IntegerField() for name in ("restored", "removed", "left")}
)


ANSWERS = {"order": "order", "first_day": "first", "last_day": "last", "spread": "spread", "totals": "totals"}


def _answers(data) -> dict:
    """What the request says of questions that the file leaves; what it does not say stays as it was answered before."""
    said = {name: str(data[field]) for field, name in ANSWERS.items() if field in data}
    if "spread" in said:
        said["spread"] = said["spread"].lower() in {"1", "true", "yes"}
    return said


def _rate(text) -> Decimal | None:
    try:
        return None if text in (None, "") else Decimal(str(text))
    except InvalidOperation:
        return None


class Newest(CursorPages):
    ordering = "-pk"


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, CompanyViewSet):
    """Loads of facts: files, API calls and typed days, the newest first."""

    serializer_class = ImportOut
    parser_classes = [MultiPartParser, JSONParser]
    pagination_class = Newest
    lookup_value_regex = r"\d{1,18}"
    write_permissions = {"create": Permission.ENTER_FACTS, "undo": Permission.ENTER_FACTS}
    write_scope = "facts:write"

    def initial(self, request, *args, **kwargs):
        refuse_beyond(request, settings.UPLOAD_MAX_BYTES + ENVELOPE)
        super().initial(request, *args, **kwargs)

    def get_queryset(self):
        return reads.imports(company=self.company)

    @extend_schema(
        request={"multipart/form-data": ImportUpload}, responses={202: ImportId, (413, CONTENT_TYPE): Problem}
    )
    def create(self, request, company_slug=None):
        upload = request.FILES.get("file")
        if upload is None:
            message = _("Send the file as multipart/form-data in the field “file”.")
            raise BadQuery(message, [FieldError("file", "required", message)])
        at = timezone.now()
        source = source_for_api(company=self.company, by=self.person, at=at, code=request.data.get("source"))
        load = writes.receive_file(
            company=self.company, by=self.person, at=at, source=source, upload=upload,
            profile=str(request.data.get("profile") or ""),
        )  # fmt: skip
        if load.state == Import.State.PREVIEW:
            writes.confirm_import(company=self.company, by=self.person, at=at, load=load, mapping=load.mapping,
                rate=_rate(request.data.get("rate")), scale=_rate(request.data.get("scale")), answers=_answers(request.data),
            )  # fmt: skip
        return Response({"id": load.pk}, status=202)

    @extend_schema(request=None, responses=UndoResult)
    @action(detail=True, methods=["post"])
    def undo(self, request, company_slug=None, pk=None):
        load = self.found(reads.get_import(company=self.company, pk=pk))
        counts = writes.undo_import(**self._acting(), load=load)
        return Response({"restored": counts.changed, "removed": counts.created, "left": counts.unchanged})
