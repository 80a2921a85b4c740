from io import StringIO

from django.core.management import call_command


def test_schema_has_no_warnings():
    out = StringIO()
    call_command("spectacular", fail_on_warn=True, stdout=out)

    assert "openapi: 3.1" in out.getvalue()


def test_page_loads_only_what_is_ours_and_nothing_inline(client, db):
    answer = client.get("/api/v1/docs/")
    page = answer.content.decode()

    assert answer.status_code == 200
    assert 'data-schema="/api/v1/schema/"' in page
    assert "<style" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["style-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]


def test_schema_is_served(client, db):
    assert client.get("/api/v1/schema/").status_code == 200
