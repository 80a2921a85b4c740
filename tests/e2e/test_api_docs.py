"""The browsable API under the strict CSP: it lists the operations and asks nobody else for anything."""


def test_swagger_lists_operations_and_opens_one(window, acme):
    walker = window()
    page = walker.open("/api/v1/docs/")

    page.wait_for_selector(".opblock", timeout=20_000)

    assert page.locator(".opblock").count() > 20
    page.locator(".opblock-summary-get").first.click()
    page.wait_for_selector(".opblock-body", timeout=10_000)
