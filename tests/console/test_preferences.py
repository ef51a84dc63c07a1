"""Language and appearance: by link, by cookie, by what the browser says; and files of the pages."""

from __future__ import annotations

import pytest

from tests.console.conftest import Shown
from tongbao.console.preferences import accepted
from tongbao.console.static import MEDIA_TYPES, Static


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh-Hant-TW;q=0.5", "zh"),
        ("zh;q=0, de", "en"),
        ("zh;q=nan, en;q=0.1", "en"),
        ("zh;q=1.5, zh;q=²", "zh"),
        ("de," * 50 + "zh", "en"),
        ("<script>", "en"),
    ],
)
def test_the_browser_says_which_language_it_likes(header: str, language: str) -> None:
    """
    Given what a browser says it accepts, well-formed or not,
    when the language is chosen,
    then it is the one with the most weight that there is, else English.
    """
    assert accepted(header) == language


def test_a_link_chooses_and_a_cookie_keeps_it(shown: Shown) -> None:
    """
    Given a page with other parameters,
    when its link to the other language is followed, and then one to an appearance,
    then the answer leads back to the same page, and cookies keep both choices.
    """
    client = shown.served.client
    text = shown.get("/blocks?before=3")
    assert 'href="/blocks?before=3&amp;lang=zh"' in text
    cookies = {}
    for choice in ("lang=zh", "theme=dark"):
        answer = client.get(f"/blocks?before=3&{choice}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/blocks?before=3")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
        name, _, value = cookie.partition(";")[0].partition("=")
        cookies[name] = value
    client.cookies.clear()
    kept = "; ".join(f"{name}={value}" for name, value in cookies.items())

    assert '<html lang="zh-Hans" data-theme="dark">' in shown.get("/", cookie=kept)
    assert '<html lang="en" data-theme="system">' in shown.get("/", cookie="tongbao_lang=xx")


def test_a_choice_that_is_none_sets_nothing(shown: Shown) -> None:
    """
    Given a language that there is not, with a header in it,
    when it is chosen by link,
    then no cookie is set, and the way leads to the page of this site.
    """
    answer = shown.served.client.get("/?lang=zh%0d%0aset-cookie:%20a=b")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


def test_files_have_types_and_are_kept_by_browsers(shown: Shown) -> None:
    """
    Given the files that pages load,
    when they are fetched by their own path, by an old one, again, and by a name that is not there,
    then type, caching and status are right.
    """
    client, static = shown.served.client, Static()
    for name, media_type in MEDIA_TYPES.items():
        fresh = client.get(static.path(name))
        old = client.get(f"/console/0000/{name}")
        again = client.get(static.path(name), headers={"if-none-match": fresh.headers["etag"]})
        assert fresh.headers["content-type"] == media_type
        assert "immutable" in fresh.headers["cache-control"]
        assert (old.headers["cache-control"], old.content) == ("no-cache", fresh.content)
        assert (again.status_code, again.content) == (304, b"")
    assert client.get("/console/0000/..%2fwords.toml").status_code == 404
