"""`?download=xlsx` and `?download=csv` on any page of a company: its tables as a file, under the same rights and filters."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from django.http import HttpResponse
from django.utils.translation import gettext as _

from reports.csvfile import csv_file
from reports.exports import as_attachment, as_csv, as_workbook
from reports.page_tables import read_page
from reports.tables import Table

PARAMETER = "download"
KINDS = ("xlsx", "csv")


class TableDownloads:
    """Middleware, the innermost: lets the page be made as ever, then answers with the tables that stand on it.

    An answer that is no page, or a page without tables, passes as it is.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        kind = request.GET.get(PARAMETER)
        if kind not in KINDS or request.method != "GET" or not _is_page(request, response):
            return response
        title, tables = read_page(response.content.decode())
        return _file(tables, kind, _file_name(request, title)) if tables else response


def _is_page(request, response: HttpResponse) -> bool:
    is_html = response.get("Content-Type", "").startswith("text/html")
    return getattr(request, "company", None) is not None and response.status_code == 200 and is_html


def _file_name(request, title: str) -> str:
    return f"{request.company.name}. {title or _('tables')}"[:80].replace("/", "-").replace(":", ",").strip()


def _file(tables: list[Table], kind: str, name: str) -> HttpResponse:
    """A workbook with a sheet for each table; as CSV one file, or an archive where there are several."""
    if kind == "xlsx":
        return as_workbook(tables, name)
    if len(tables) == 1:
        return as_csv(tables[0], name)
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for number, table in enumerate(tables, start=1):
            title = (table.name or _("table"))[:60].replace("/", "-")
            archive.writestr(f"{number}. {title}.csv", csv_file(table).encode())
    return as_attachment(buffer.getvalue(), "application/zip", f"{name}.zip")
