"""The sample company says that it is one, and goes in one act."""

from roles.models import Company, User


def test_a_real_company_has_no_such_page(acme, sign_in):
    assert sign_in(acme.owner).get("/c/acme/sample/remove/").status_code == 404
    assert "sample/remove" not in sign_in(acme.owner).get("/c/acme/reports/today/").content.decode()


def test_the_sample_goes_in_one_act_and_nothing_else(acme, rival, sign_in):
    Company.objects.filter(slug="acme").update(is_sample=True)
    browser = sign_in(acme.owner)
    assert "/c/acme/sample/remove/" in browser.get("/c/acme/reports/today/").content.decode()
    assert "sample/remove" not in sign_in(acme.cmo).get("/c/acme/reports/today/").content.decode()
    assert browser.get("/c/acme/sample/remove/").status_code == 200
    assert Company.objects.filter(slug="acme").exists()

    response = browser.post("/c/acme/sample/remove/")

    assert response.status_code == 302
    assert list(Company.objects.values_list("slug", flat=True)) == ["rival"]
    assert not User.objects.filter(email__endswith="@acme.example").exists()
    assert User.objects.filter(email__endswith="@rival.example").count() == 7
