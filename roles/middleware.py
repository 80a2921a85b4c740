"""The request's language, company, person and scope."""

from django.contrib.auth.views import redirect_to_login
from django.http import Http404
from django.urls import Resolver404, resolve
from django.utils import translation
from django_scopes import scope

from roles import selectors
from roles.rest.authentication import token_of

LANGUAGE_COOKIE = "language"


class LanguageMiddleware:
    """Russian unless the person (or, before sign-in, the cookie) says otherwise: the browser's own list is not asked."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        language = request.COOKIES.get(LANGUAGE_COOKIE, "ru")
        if request.user.is_authenticated:
            language = request.user.language
        with translation.override(language if language in {"ru", "en"} else "ru"):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            return response


class CompanyMiddleware:
    """Reads the company from the path: sets `request.company` and `request.person` and enters the company's scope.

    Pages are closed here: sign-in first, 404 for strangers (the same as for a company that does not exist). The API
    answers strangers inside DRF, where its default permission closes it.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.company = request.person = None
        try:
            slug = resolve(request.path_info).kwargs.get("company_slug")
        except Resolver404:
            slug = None
        if slug is None:
            return self.get_response(request)
        if request.path_info.startswith("/api/"):
            request.company = self._company_of_call(request, slug)
        elif request.user.is_authenticated:
            request.memberships = selectors.companies_of(user=request.user)
            request.person = next((row for row in request.memberships if row.company.slug == slug), None)
            request.company = request.person.company if request.person else None
        if request.company is None:
            # No scope at all: an empty scope would filter nothing.
            return self.get_response(request)
        with scope(company=request.company):
            return self.get_response(request)

    @staticmethod
    def _company_of_call(request, slug: str):
        """A token brings its company along, and no other; a browser names one, and the permission asks whose it is."""
        token = token_of(request)
        if token is None:
            return selectors.get_company(slug=slug)
        company = token.person.company
        return company if company.slug == slug else None

    def process_view(self, request, view, args, kwargs):
        """Views do not take the slug: they read `request.company`."""
        if kwargs.pop("company_slug", None) is None or request.path_info.startswith("/api/"):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if request.person is None:
            raise Http404
        return None
