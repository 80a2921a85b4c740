"""Accesses, documents and contractors. An access has no field for its secret: what looks like one is refused with the code `secret`."""

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from roles import contracts, registry, selectors
from roles.flags import document_flags
from roles.models import Access, DocumentLink
from roles.permissions import Permission
from roles.rest.versions import row_version
from roles.rest.viewsets import CompanyViewSet
from roles.services import accesses as access_service
from roles.services import contractors as contractor_service
from roles.services import documents as document_service
from roles.validation import refuse

ID = OpenApiParameter("id", int, OpenApiParameter.PATH)
PEOPLE = ("owner_person", "owner", "responsible", "deputy")


class AccessSerializer(serializers.Serializer):
    """`owner_person`, `administrators`: ids of people; `channels`: codes; `contractor`: id; `two_factor` null: nobody has said.
    `flags`: what is wrong today."""

    id = serializers.IntegerField(source="access.pk", read_only=True)
    system = serializers.CharField(source="access.system", max_length=120)
    identifier = serializers.CharField(source="access.identifier", max_length=160)
    owned_by = serializers.ChoiceField(Access.OwnedBy.choices, source="access.owned_by", required=False)
    owner_name = serializers.CharField(source="access.owner_name", max_length=160, required=False, allow_blank=True)
    owner_person = serializers.IntegerField(source="access.owner_person_id", required=False, allow_null=True)
    administrators = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=100)
    channels = serializers.ListField(child=serializers.CharField(), required=False, max_length=200)
    contractor = serializers.IntegerField(source="access.contractor_id", required=False, allow_null=True)
    contractor_until = serializers.DateField(source="access.contractor_until", required=False, allow_null=True)
    recovery = serializers.CharField(source="access.recovery", max_length=160, required=False, allow_blank=True)
    paid_by = serializers.CharField(source="access.paid_by", max_length=160, required=False, allow_blank=True)
    secret_place = serializers.CharField(source="access.secret_place", max_length=200, required=False, allow_blank=True)
    two_factor = serializers.BooleanField(source="access.two_factor", required=False, allow_null=True)
    note = serializers.CharField(source="access.note", max_length=300, required=False, allow_blank=True)
    checked_on = serializers.DateField(source="access.checked_on", read_only=True)
    checked_by = serializers.IntegerField(source="access.checked_by_id", read_only=True)
    closed_on = serializers.DateField(source="access.closed_on", read_only=True)
    flags = serializers.ListField(child=serializers.CharField(), read_only=True)

    def to_representation(self, line: registry.AccessLine) -> dict:
        return super().to_representation(_Shown(line))


class _Shown:
    """An access line with its lists as the API gives them."""

    def __init__(self, line: registry.AccessLine):
        self.access, self.flags = line.access, line.flags
        self.administrators = [person.pk for person in line.administrators]
        self.channels = [channel.code for channel in line.channels]


class AccessPatchSerializer(AccessSerializer):
    reason = serializers.CharField(max_length=300, required=False, write_only=True)


class ContractorSerializer(serializers.Serializer):
    """`responsible` and `deputy`: ids of our people; `people`: ids of theirs; `channels`: codes, none for any channel."""

    id = serializers.IntegerField(source="pk", read_only=True)
    name = serializers.CharField(max_length=160)
    scope = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    contact_name = serializers.CharField(max_length=160, required=False, allow_blank=True)
    contact = serializers.CharField(max_length=160, required=False, allow_blank=True)
    responsible = serializers.IntegerField(source="responsible_id")
    deputy = serializers.IntegerField(source="deputy_id", required=False, allow_null=True)
    channels = serializers.SerializerMethodField()
    people = serializers.SerializerMethodField()
    ended_on = serializers.DateField(read_only=True)
    closed_on = serializers.DateField(read_only=True)

    def get_channels(self, contractor) -> list[str]:
        return [channel.code for channel in contractor.channels.all()]

    def get_people(self, contractor) -> list[int]:
        return [person.pk for person in contractor.people.all()]


class ContractorWriteSerializer(ContractorSerializer):
    channels = serializers.ListField(child=serializers.CharField(), required=False, max_length=200)
    people = None
    reason = serializers.CharField(max_length=300, required=False, write_only=True)


class DocumentSerializer(serializers.Serializer):
    """`channel` and `role`: codes, both null: of the whole company; `owner`: id of who keeps it, the caller if not given.
    `place_is_ours`: the drive belongs to the company. `flags`: what is wrong."""

    id = serializers.IntegerField(source="pk", read_only=True)
    title = serializers.CharField(max_length=200)
    url = serializers.CharField(max_length=500)
    owner = serializers.IntegerField(source="owner_id", required=False)
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True, read_only=True)
    role = serializers.CharField(source="role.code", default=None, allow_null=True, read_only=True)
    place_is_ours = serializers.BooleanField(required=False)
    added_on = serializers.DateField(read_only=True)
    flags = serializers.SerializerMethodField()

    def get_flags(self, document: DocumentLink) -> list[str]:
        return [str(flag) for flag in document_flags(document)]


class DocumentWriteSerializer(DocumentSerializer):
    channel = serializers.CharField(required=False, allow_null=True)
    role = serializers.CharField(required=False, allow_null=True)
    flags = None


class _RegistryViewSet(CompanyViewSet):
    """What both share: who acts when, and names and ids looked up in this company."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]+"

    def _today(self) -> dict:
        return {"today": self.company.local_date(timezone.now())}

    def _fields(self, serializer) -> dict:
        """The given fields as the services take them."""
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        fields |= fields.pop("access", {})
        for name in PEOPLE:
            if f"{name}_id" in fields:
                pk = fields.pop(f"{name}_id")
                fields[name] = None if pk is None else self._one(name, pk, self._people())
        if "administrators" in fields:
            fields["administrators"] = [
                self._one("administrators", pk, self._people()) for pk in fields["administrators"]
            ]
        if "channels" in fields:
            known = {channel.code: channel for channel in selectors.bare_channels(company=self.company)}
            fields["channels"] = [self._one("channels", code, known) for code in fields["channels"]]
        if "contractor_id" in fields:
            pk = fields.pop("contractor_id")
            known = {row.pk: row for row in contracts.contractors(company=self.company)}
            fields["contractor"] = None if pk is None else self._one("contractor", pk, known)
        return fields

    def _people(self) -> dict:
        return {person.pk: person for person in selectors.people(company=self.company)}

    @staticmethod
    def _one(field: str, key, known: dict):
        if key not in known:
            raise refuse(
                field,
                "unknown",
                _("“%(value)s” is not known here: write it as it stands in the system.") % {"value": key},
            )
        return known[key]


class AccessViewSet(_RegistryViewSet):
    """The registry of accounts: managers change it; a channel's owner sees and checks those of the own channels."""

    serializer_class = AccessSerializer
    read_permission = Permission.KEEP_ACCESSES
    write_permissions = {
        "create": Permission.MANAGE_COMPANY, "partial_update": Permission.MANAGE_COMPANY, "check": Permission.KEEP_ACCESSES,
    }  # fmt: skip

    @extend_schema(responses=AccessSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(registry.visible_accesses(company=self.company, person=self.person))
        lines = registry.access_lines(page, person=self.person, **self._today())
        return self.get_paginated_response(AccessSerializer(lines, many=True).data)

    @extend_schema(parameters=[ID], responses=AccessSerializer)
    def retrieve(self, request, company_slug=None, id=None):
        return self._answer(int(id))

    @extend_schema(request=AccessSerializer, responses={201: AccessSerializer})
    def create(self, request, company_slug=None):
        fields = {"owned_by": Access.OwnedBy.COMPANY, **self._fields(AccessSerializer(data=request.data))}
        return self._answer(access_service.create_access(**self._acting(), **self._today(), **fields).pk, status=201)

    @extend_schema(parameters=[ID], request=AccessPatchSerializer, responses=AccessSerializer)
    def partial_update(self, request, company_slug=None, id=None):
        access = self._line(int(id)).access
        self.check_etag(row_version(access))
        fields = self._fields(AccessPatchSerializer(data=request.data, partial=True))
        return self._answer(access_service.update_access(**self._acting(), access=access, **fields).pk)

    @extend_schema(parameters=[ID], request=None, responses=AccessSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request, company_slug=None, id=None):
        access = self._line(int(id)).access
        return self._answer(access_service.check_access(**self._acting(), **self._today(), access=access).pk)

    def _line(self, pk: int) -> registry.AccessLine:
        line = self.found(registry.get_access(company=self.company, person=self.person, pk=pk))
        if not line.may_check:
            raise PermissionDenied(Permission.KEEP_ACCESSES.label)
        return line

    def _answer(self, pk: int, status=200):
        line = self._line(pk)
        headers = {"ETag": self.etag(row_version(line.access))}
        return Response(AccessSerializer(line).data, status=status, headers=headers)


class DocumentViewSet(_RegistryViewSet):
    """Links to the business's documents, everybody's to read; who keeps them changes them, on the own channels at least."""

    serializer_class = DocumentSerializer
    write_permissions = dict.fromkeys(("create", "partial_update", "destroy"), Permission.KEEP_ACCESSES)

    @extend_schema(
        parameters=[OpenApiParameter("channel", str), OpenApiParameter("role", str)],
        responses=DocumentSerializer(many=True),
    )
    def list(self, request, company_slug=None):
        """`?channel=` and `?role=` (codes) narrow it."""
        found = registry.documents(company=self.company)
        for name in ("channel", "role"):
            if code := request.query_params.get(name):
                found = found.filter(**{f"{name}__code": code})
        return self.get_paginated_response(DocumentSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(parameters=[ID], responses=DocumentSerializer)
    def retrieve(self, request, company_slug=None, id=None):
        return self._answer(int(id))

    @extend_schema(request=DocumentWriteSerializer, responses={201: DocumentSerializer})
    def create(self, request, company_slug=None):
        fields = {"owner": self.person, **self._fields(DocumentWriteSerializer(data=request.data))}
        return self._answer(
            document_service.create_document(**self._acting(), **self._today(), **fields).pk, status=201
        )

    @extend_schema(parameters=[ID], request=DocumentWriteSerializer, responses=DocumentSerializer)
    def partial_update(self, request, company_slug=None, id=None):
        document = self._document(int(id))
        self.check_etag(row_version(document))
        fields = self._fields(DocumentWriteSerializer(data=request.data, partial=True))
        return self._answer(document_service.update_document(**self._acting(), document=document, **fields).pk)

    @extend_schema(parameters=[ID], request=None, responses={204: None})
    def destroy(self, request, company_slug=None, id=None):
        """The link leaves the list; the document itself stays where it is."""
        document = self._document(int(id))
        self.check_etag(row_version(document))
        document_service.remove_document(**self._acting(), document=document)
        return Response(status=204)

    def _fields(self, serializer) -> dict:
        fields = super()._fields(serializer)
        if fields.get("channel") is not None:
            known = {row.code: row for row in selectors.bare_channels(company=self.company)}
            fields["channel"] = self._one("channel", fields["channel"], known)
        if fields.get("role") is not None:
            known = {version.role.code: version.role for version in selectors.roles(company=self.company)}
            fields["role"] = self._one("role", fields["role"], known)
        return fields

    def _document(self, pk: int) -> DocumentLink:
        return self.found(registry.get_document(company=self.company, pk=pk))

    def _answer(self, pk: int, status=200):
        document = self._document(pk)
        headers = {"ETag": self.etag(row_version(document))}
        return Response(DocumentSerializer(document).data, status=status, headers=headers)


class ContractorViewSet(_RegistryViewSet):
    """Contracts; managers change them."""

    serializer_class = ContractorSerializer
    write_permissions = {"create": Permission.MANAGE_COMPANY, "partial_update": Permission.MANAGE_COMPANY}

    @extend_schema(responses=ContractorSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(contracts.contractors(company=self.company))
        return self.get_paginated_response(ContractorSerializer(page, many=True).data)

    @extend_schema(parameters=[ID], responses=ContractorSerializer)
    def retrieve(self, request, company_slug=None, id=None):
        return self._answer(int(id))

    @extend_schema(request=ContractorWriteSerializer, responses={201: ContractorSerializer})
    def create(self, request, company_slug=None):
        fields = self._fields(ContractorWriteSerializer(data=request.data))
        fields.pop("reason", None)
        return self._answer(contractor_service.create_contractor(**self._acting(), **fields).pk, status=201)

    @extend_schema(parameters=[ID], request=ContractorWriteSerializer, responses=ContractorSerializer)
    def partial_update(self, request, company_slug=None, id=None):
        contractor = self._contractor(int(id))
        self.check_etag(row_version(contractor))
        fields = self._fields(ContractorWriteSerializer(data=request.data, partial=True))
        contractor_service.update_contractor(**self._acting(), **self._today(), contractor=contractor, **fields)
        return self._answer(contractor.pk)

    def _contractor(self, pk: int):
        return self.found(contracts.get_contractor(company=self.company, pk=pk))

    def _answer(self, pk: int, status=200):
        contractor = self._contractor(pk)
        headers = {"ETag": self.etag(row_version(contractor))}
        return Response(ContractorSerializer(contractor).data, status=status, headers=headers)
