"""Who: the caller, the people of the company and its roles."""

from django.utils import timezone, translation
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from roles import boards, selectors
from roles.models import in_language
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet


class HatSerializer(serializers.Serializer):
    """A hat worn today. `acting`: for the absent `instead_of`, or in a vacant place."""

    role = serializers.CharField(source="role_code")
    name = serializers.CharField(source="role_name")
    kind = serializers.CharField()
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)
    acting = serializers.BooleanField()
    instead_of = serializers.IntegerField(source="instead_of.pk", default=None, allow_null=True)


class PersonSerializer(serializers.Serializer):
    """A person of the company with the hats of today; `away_until`: the last day of today's absence."""

    id = serializers.IntegerField(source="person.pk")
    name = serializers.CharField(source="person.user.name")
    email = serializers.EmailField(source="person.user.email")
    joined_on = serializers.DateField(source="person.joined_on")
    hats = HatSerializer(many=True)
    away_until = serializers.DateField(allow_null=True)


class DutySerializer(serializers.Serializer):
    key = serializers.CharField()
    cadence = serializers.CharField()
    text = serializers.SerializerMethodField()

    def get_text(self, duty: dict) -> str:
        return in_language(duty.get("ru", ""), duty.get("en", ""))


class HolderSerializer(serializers.Serializer):
    """An appointment in force. `interim`: it fell to this person when the holder left, the role is vacant."""

    person = serializers.IntegerField(source="person_id")
    name = serializers.CharField(source="person.user.name")
    channel = serializers.CharField(source="channel.code", default=None, allow_null=True)
    deputy = serializers.IntegerField(source="deputy_id", allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    hours_per_week = serializers.IntegerField(allow_null=True)
    interim = serializers.BooleanField()


class RoleSerializer(serializers.Serializer):
    """A hat: what its current version says, and who wears it. Texts are in the company's language."""

    code = serializers.CharField(source="version.role.code")
    kind = serializers.CharField(source="version.role.kind")
    name = serializers.CharField(source="version.name")
    mission = serializers.CharField(source="version.mission")
    duties = DutySerializer(source="version.duties", many=True)
    kpis = serializers.ListField(source="version.kpis", child=serializers.CharField())
    version = serializers.IntegerField(source="version.number")
    vacant = serializers.BooleanField()
    holders = HolderSerializer(many=True)


class MePersonSerializer(serializers.Serializer):
    name = serializers.CharField()
    email = serializers.EmailField()
    language = serializers.CharField()


class MeCompanySerializer(serializers.Serializer):
    """`person`: the caller's id in this company, as everywhere in the API."""

    slug = serializers.CharField(source="company.slug")
    name = serializers.CharField(source="company.name")
    person = serializers.IntegerField(source="pk")
    timezone = serializers.CharField(source="company.timezone")
    currency = serializers.CharField(source="company.currency")
    language = serializers.CharField(source="company.language")


class MeHatSerializer(HatSerializer):
    company = serializers.CharField()


class MePermissionSerializer(serializers.Serializer):
    """`channels` null: in the whole company, else on the channels with these codes."""

    company = serializers.CharField()
    permission = serializers.CharField()
    channels = serializers.ListField(child=serializers.CharField(), allow_null=True)


class MeSerializer(serializers.Serializer):
    person = MePersonSerializer()
    companies = MeCompanySerializer(many=True)
    hats = MeHatSerializer(many=True)
    permissions = MePermissionSerializer(many=True)
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)


class MeView(APIView):
    """Who calls. A token sees its one company, a browser session all companies of the login."""

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request):
        translation.activate(request.user.language)
        memberships = [request.auth.person] if request.auth else selectors.companies_of(user=request.user)
        worn = boards.hats_everywhere(people=memberships, at=timezone.now())
        hats, permissions = [], []
        for person in memberships:
            mine, slug = worn.get(person.pk, []), person.company.slug
            hats += [hat | {"company": slug} for hat in HatSerializer(mine, many=True).data]
            permissions += [
                {"company": slug, "permission": str(reach.permission), "channels": reach.channels}
                for reach in boards.reach_of(mine)
            ]
        body = {
            "person": MePersonSerializer(request.user).data,
            "companies": MeCompanySerializer(memberships, many=True).data,
            "hats": hats,
            "permissions": permissions,
            "scopes": request.auth.scopes if request.auth else None,
        }
        return Response(body)


class PersonViewSet(CompanyViewSet):
    """People of the company with their hats."""

    serializer_class = PersonSerializer
    read_permission = Permission.READ

    @extend_schema(responses=PersonSerializer(many=True))
    def list(self, request, company_slug=None):
        now = timezone.now()
        page = self.paginate_queryset(selectors.people(company=self.company))
        rows = boards.people_rows(company=self.company, on=self.company.local_date(now), people=page)
        return self.get_paginated_response(PersonSerializer(rows, many=True).data)


class RoleViewSet(CompanyViewSet):
    """Roles with what they say, holders and deputies."""

    serializer_class = RoleSerializer
    read_permission = Permission.READ

    @extend_schema(responses=RoleSerializer(many=True))
    def list(self, request, company_slug=None):
        page = self.paginate_queryset(selectors.roles(company=self.company))
        today = self.company.local_date(timezone.now())
        rows = boards.role_rows(company=self.company, on=today, versions=page)
        return self.get_paginated_response(RoleSerializer(rows, many=True).data)
