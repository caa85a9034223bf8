from tests.journalist_interface.office import Office


def test_a_reviewer_signs_in_and_out(office: Office) -> None:
    olena = office.hire()

    browser = office.sign_in(olena)
    page = browser.get("/collections")

    assert (page.status, page.heading) == (200, "Collections")
    assert "Nothing has come yet." in page.words
    left = browser.submit(page.form("Sign out"))
    assert left.get("clear-site-data") == '"cache", "cookies", "storage"'
    assert browser.follow(left).heading == "Sign in"
    assert browser.get("/collections").get("location") == "/"
