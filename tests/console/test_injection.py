"""Text of strangers stays text: in every place where a page shows some."""

from __future__ import annotations

import pytest
from markupsafe import escape

from tests.console.conftest import Shown
from tests.console.test_pages import Outline
from tests.fixed_chain import FixedChain
from tongbao.console.rendering import environment
from tongbao.console.words import Words

HTML = "<img src=x onerror=alert(1)>\"'{{7*7}}</title><script>alert(2)</script>"


@pytest.mark.parametrize(
    "path",
    [
        "/search?q={}",
        "/blocks/{}",
        "/blocks/1?from={}",
        "/blocks?before={}",
        "/transactions/{}",
        "/accounts/{}",
        "/accounts/{}/statement",
        f"/accounts/{FixedChain.alice}/statement?asset={{}}",
        f"/accounts/{FixedChain.alice}/statement?from={{}}&until={{}}&start={{}}",
        f"/accounts/{FixedChain.alice}/history?before={{}}",
        "/assets/{}",
        "/{}",
        "/search?q=x&lang=zh&x={}",
        "/?x={}",
    ],
)
def test_html_in_paths_and_queries_stays_text(shown: Shown, path: str) -> None:
    """
    Given markup in a path or a query,
    when the page is read, also after the way back from choosing a language,
    then none of it is an element, and no template is run.
    """
    client = shown.served.client
    filled = path.replace("{}", HTML.replace("%", "%25").replace("/", "%2f").replace("#", "%23"))
    answer = client.get(filled, headers={"accept": "text/html"}, follow_redirects=True)
    outline = Outline(answer.text)

    assert not outline.all("img") and len(outline.all("script")) == 1
    assert str(escape(HTML)) in answer.text or "{{7*7}}" not in answer.text
    client.cookies.clear()


def test_html_in_headers_and_cookies_stays_text(shown: Shown) -> None:
    """
    Given markup in Accept-Language and in both cookies,
    when a page is read,
    then none of it is shown.
    """
    markup = "<img/src=x>"
    text = shown.get("/", markup, cookie=f"tongbao_lang={markup}; tongbao_theme={markup}")

    assert markup not in text and not Outline(text).all("img")
    assert '<html lang="en" data-theme="system">' in text


def test_html_in_what_modules_of_others_say_stays_text() -> None:
    """
    Given a message of a module whose every text is markup, as patterns of others may allow,
    when it is shown with each kind of member,
    then it is text.
    """
    template = environment().from_string(
        '{% import "parts.html" as parts with context %}'
        "{{ parts.member(one) }}{{ parts.messages(((name, 2),)) }}{{ parts.id(text) }}"
    )
    for kind in ("address", "asset", "code", "text"):
        one = {"kind": kind, "value": f"{HTML}.{HTML}"}
        shown = template.render(t=Words("en"), vaults={}, one=one, name=f"{HTML}.{HTML}", text=HTML)
        assert "<img" not in shown and "<script" not in shown
        assert str(escape(HTML)) in shown
