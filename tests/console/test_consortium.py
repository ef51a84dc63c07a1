"""Pages of a consortium: members, halts, proposals with their votes, and a supervisor's desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from markupsafe import escape

from tests.console.conftest import read
from tests.console.governed import ODD_NAME, Governed, GovernedChain, governing
from tests.console.test_pages import Outline
from tests.fixed_chain import BEGIN, FixedChain, key
from tests.modules.member_steps import FIRST, SECOND, THIRD
from tests.node.access.test_sessions import opened
from tests.node.conftest import serving_chain
from tongbao.console import Console
from tongbao.console.actions import sentence
from tongbao.console.words import Words
from tongbao.modules import asset
from tongbao.modules.governance import AdmitMember
from tongbao.modules.member import MemberName

NOT_FOUND = {"no-member", "no-proposal", "no-desk"}
MARKUP = "<img src=x onerror=alert(1)>\"'{{7*7}}</title><script>alert(2)</script>"


@pytest.fixture(scope="module")
def governed() -> Iterator[Governed]:
    """One chain for all tests that only look."""
    with governing() as found:
        yield found


def words_of(text: str) -> str:
    """What stands on a page, in one line with single spaces."""
    return " ".join("".join(Outline(text.replace("<br>", " ")).text).split())


def command_on(text: str) -> str:
    """The last command of a page."""
    return unescape(re.findall(r"<pre><code>(.*?)</code></pre>", text)[-1])


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_every_page_of_a_consortium_is_whole(governed: Governed, language: str, tag: str) -> None:
    """
    Given every kind of page of a consortium,
    when it is asked for in a language,
    then it is balanced HTML in it with one heading, 404 where there is nothing of that name, and
    the navigation leads to members and proposals.
    """
    for name, path in governed.pages.items():
        asked = {"accept": "text/html", "accept-language": language}
        answer = governed.served.client.get(path, headers=asked)
        outline = Outline(answer.text)
        assert answer.status_code == (404 if name in NOT_FOUND else 200), name
        assert outline.open == [] and len(outline.all("h1")) == 1, name
        assert outline.all("html")[0]["lang"] == tag
        linked = {link.get("href") for link in outline.all("a")}
        assert {"/members", "/proposals"} <= linked


def test_members_are_listed_with_roles_accounts_reserved_messages_and_halts(
    governed: Governed,
) -> None:
    """
    Given two members, a message reserved for issuers, and a halt of holds,
    when the list is read in both languages,
    then each member has its name as text, LEI, status, roles and accounts, the message its role,
    and the halt its end.
    """
    text, chinese = (governed.get("/members", language) for language in ("en", "zh"))
    said = words_of(text)

    assert f"{ODD_NAME} {SECOND} supervisor" in said and FIRST in said
    assert said.count("Active") == 2
    assert all(f'href="/accounts/{one}"' in text for one in (FixedChain.bank, FixedChain.shop))
    assert "asset.define issuer" in said and "asset.define 发行者" in words_of(chinese)
    assert "hold None 2026-09-21 15:14:20" in said
    assert "已暂停的模块" in chinese and "监管者" in chinese


def test_a_member_has_a_page_with_its_public_tally(governed: Governed) -> None:
    """
    Given a supervisor that froze twice, and a member that issues,
    when their pages are read,
    then the first counts its acts and leads to its desk, the second lists what its role may send
    and has a seat, and each has a proof.
    """
    supervisor, issuer = governed.get(f"/members/{SECOND}"), governed.get(f"/members/{FIRST}")

    assert "supervisor: Frozen 2" in words_of(supervisor)
    assert f'href="{governed.desk}"' in supervisor
    assert "asset.define" in words_of(issuer) and "Operator" in words_of(issuer)
    assert f"/accounts/{FixedChain.bank}/desk" not in issuer
    proof = f"/v1/rows/member.members/proof?key={FIRST}"
    assert proof in issuer and governed.served.client.get(proof).status_code == 200


def test_proposals_are_listed_with_those_under_way_first(governed: Governed) -> None:
    """
    Given proposals in every phase that votes lead to,
    when their list is read,
    then what is open comes first, in words and with its count; then who decides, then the ended.
    """
    text = governed.get("/proposals")
    said = words_of(text)
    places = [
        text.index(f'data-key="proposal-{governed.open}"'),
        text.index('id="council"'),
        text.index('id="ended"'),
        text.index(f'data-key="proposal-{governed.rejected}"'),
    ]

    assert places == sorted(places)
    assert "and 1 more" in said and "1 of 2" in said
    assert all(f"{phase} " in f"{said} " for phase in ("Rejected", "Taken back", "Carried out"))
    assert "Halt the module hold and those that use it for 1 h." in said
    assert "First Bank Ltd." in said


def test_a_proposal_says_what_it_would_do_and_who_said_what(governed: Governed) -> None:
    """
    Given a proposal of two actions that one of two operators has approved,
    when its page is read in both languages,
    then each action is a sentence, voters have their votes, and the commands to vote can be
    copied; one that was rejected has no commands.
    """
    path = f"/proposals/{governed.open}"
    said, chinese = (words_of(governed.get(path, language)) for language in ("en", "zh"))
    rejected = governed.get(f"/proposals/{governed.rejected}")

    assert f"Admit Third Data (Shanghai) Co., Ltd., LEI {THIRD}, as a member." in said
    assert (
        "Roles: data source,\u00a0operator." in said.replace(", ", ",\u00a0") or "operator." in said
    )
    assert "Wait 1 d between approval and effect" in said
    assert "接纳 Third Data (Shanghai) Co., Ltd." in chinese and "数据来源、运营者" in chinese
    assert "1 for, 0 against; 2 of 2 must approve" in said
    assert "Approves" in said and "Not yet" in said
    assert f"tongbao governance vote --proposal {governed.open} --choice reject" in said
    assert "tongbao governance vote" not in rejected and "Rejects" in rejected


def test_a_desk_has_freezes_in_force_acts_and_the_tally(governed: Governed) -> None:
    """
    Given a supervisor that froze a holding, and replaced that freeze by one that ends earlier,
    when its desk is read,
    then the one in force is listed alone with ground and end, both acts are listed, and counted.
    """
    text = governed.get(governed.desk)
    said = words_of(text)

    assert text.count('data-key="frozen-') == 1 and text.count('data-key="act-') == 2
    [force] = re.findall(r'<tr data-key="frozen-.*?</tr>', text, re.DOTALL)
    assert "2026-09-21 16:13:20" in words_of(force) and "An order of an authority" in force
    assert "A suspicion of fraud" in said and "what leaves until 2026-09-21 23:13:20" in said
    assert "supervisor Frozen 2" in said
    proof = f"/v1/rows/asset.tallies/proof?key={FixedChain.shop}&key=supervisor"
    assert governed.served.client.get(proof).status_code == 200


def test_a_desk_writes_commands_and_says_which_field_is_wrong(governed: Governed) -> None:
    """
    Given the desk's form, well filled in for a freeze, and with a wrong amount for a clawback,
    when it is sent,
    then there is the command to copy, and the field that is wrong is marked, without one.
    """
    pages = governed.pages
    line = command_on(governed.get(pages["desk-freeze"]))
    wrong = governed.get(pages["desk-wrong"])

    assert line == (
        f"tongbao asset freeze --asset {governed.gold} --account {FixedChain.alice} --scope both "
        f"--reason 2 --until +432000s --as-supervisor --as {FixedChain.shop}"
    )
    assert wrong.count('aria-invalid="true"') == 1 and "<pre>" not in wrong
    assert "Only the asset's issuer claws back" in unescape(wrong)


def test_a_desk_writes_the_command_that_claws_back(governed: Governed) -> None:
    """
    Given the desk's form of a clawback,
    when it is filled in with an amount, and with texts that are none,
    then there is the command to copy, and each of the others is marked as wrong.
    """
    well = governed.pages["desk-wrong"].replace("amount=x", "amount=2.50")
    line = command_on(governed.get(well))

    assert line == (
        f"tongbao asset claw-back --asset {governed.gold} --account {FixedChain.alice} "
        f"--amount 2.50 --reason 2 --as {FixedChain.shop}"
    )
    for text in ("1e3", "-1", "1,00", "9223372036854775808", ""):
        wrong = governed.get(well.replace("amount=2.50", f"amount={text}"))
        assert wrong.count('aria-invalid="true"') == 1 and "<pre>" not in wrong


def test_an_account_shows_what_its_assets_ask_of_everybody(governed: Governed) -> None:
    """
    Given alice, whose gold needs an authorisation that she lacks, and has a limit for everybody,
    when her page and the issuer's are read,
    then hers says both beside the freeze and its ground, with the acts' scope, end and paper;
    the issuer's says neither.
    """
    said = words_of(governed.get(f"/accounts/{FixedChain.alice}"))
    issuer = words_of(governed.get(f"/accounts/{FixedChain.bank}"))

    assert "Not authorised: neither pays nor is paid" in said
    assert "Everybody at most 900" in said
    assert "Clawed back 2 (issuer" in said and "An error in an earlier payment" in said
    assert "whatever comes or goes until 2026-09-21 16:13:20 UTC (supervisor" in said
    assert "Paper (SHA-256): " + "cd" * 32 in said
    assert "Not authorised" not in issuer and "Everybody at most" not in issuer
    assert "Acts for First Bank Ltd." in issuer


def test_an_asset_shows_which_powers_are_on_and_what_never_changes(governed: Governed) -> None:
    """
    Given gold with every flag on and none locked, whose issuer then locks clawback,
    when its page is read before and after,
    then each power is on and may change, and then clawback is locked for ever; the limit for
    everybody and the proof are there.
    """
    path = governed.pages["asset"]
    before = governed.get(path)
    lock = asset.SetFlags(asset=governed.gold, lock=(asset.Flag("clawback"),))
    governed.do("bank", lock)
    after = governed.get(path)

    assert [text.count("may change") for text in (before, after)] == [4, 3]
    assert [text.count("locked for ever") for text in (before, after)] == [0, 1]
    assert "Everybody at most 900" in words_of(after)
    proof = f"/v1/rows/asset.controls/proof?key={governed.gold}"
    assert proof in after and governed.served.client.get(proof).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/members/{}",
        "/members?after={}",
        "/proposals/{}",
        "/proposals?after={}",
        "/proposals?ended={}",
        "/proposals/new?action={}",
        "/proposals/new?action=admit_member&member={}&name={}&accounts={}&roles={}&closes=2d",
        "/proposals/new?action=grant_role&closes={}",
        f"/accounts/{FixedChain.shop}/desk?order={{}}",
        f"/accounts/{FixedChain.shop}/desk?account={{}}&asset={{}}&scope={{}}&lasts={{}}&sent=x",
        f"/accounts/{FixedChain.shop}/desk?before={{}}",
        f"/accounts/{FixedChain.alice}?acts={{}}",
        f"/accounts/{FixedChain.alice}?stands={{}}",
        "/accounts/{}/desk",
    ],
)
def test_markup_in_paths_and_forms_stays_text(governed: Governed, path: str) -> None:
    """
    Given markup wherever these pages take a text,
    when the page is read,
    then it is an answer of 200 or 400 or 404 in which none of it is an element.
    """
    given = MARKUP.replace("%", "%25").replace("/", "%2f").replace("#", "%23").replace("&", "%26")
    answer = governed.served.client.get(path.replace("{}", given), headers={"accept": "text/html"})
    outline = Outline(answer.text)

    assert answer.status_code in (200, 400, 404)
    assert not outline.all("img") and len(outline.all("script")) == 1
    assert "'49" not in unescape(answer.text)


def test_a_hostile_name_of_a_member_is_text_in_every_sentence() -> None:
    """
    Given a member whose name is markup, as no chain admits it, on a chain that has it all the same,
    when the sentence of its admission is written,
    then the markup is text.
    """
    action = AdmitMember(member=THIRD, name=MemberName(MARKUP))
    for words in (Words("en"), Words("zh")):
        written = sentence(words, action)
        assert str(escape(MARKUP)) in written and "<img" not in written


def test_search_finds_members_and_proposals(governed: Governed) -> None:
    """
    Given the LEI of a member in small letters, and the id of a proposal,
    when they are searched for,
    then each leads to its page; an LEI of nobody leads nowhere.
    """
    client = governed.served.client
    found = [
        client.get("/search", params={"q": text}, follow_redirects=False)
        for text in (SECOND.lower(), governed.open, THIRD)
    ]

    assert found[0].headers["location"] == f"/members/{SECOND}"
    assert found[1].headers["location"] == f"/proposals/{governed.open}"
    assert found[2].status_code == 404


def test_where_reading_is_for_members_a_desk_is_for_its_supervisor() -> None:
    """
    Given a node that answers members, and sessions of the supervisor and of an operator,
    when each reads members, proposals, the public count, proofs of them, and the desk,
    then both read what belongs to nobody alone, the desk is for the supervisor, and a caller who
    is not known reads nothing.
    """
    fixed = GovernedChain()
    with (
        fixed.running(lambda: BEGIN + 60_000) as chain,
        serving_chain(fixed, chain, read_policy="members") as served,
    ):
        shop = opened(served, fixed.shop, key("shop"))
        bank = opened(served, fixed.bank, key("bank"))
        desk = f"/accounts/{fixed.shop}/desk"

        def status(path: str, caller: dict[str, str]) -> int:
            return served.client.get(path, headers=caller).status_code

        open_paths = (
            *("/members", f"/members/{FIRST}", "/proposals", "/proposals/new"),
            *("/v1/member/listed", f"/v1/member/accounts?lei={FIRST}"),
            *(f"/v1/asset/acts-by?actor={fixed.shop}", "/v1/governance/halts"),
            f"/v1/rows/member.members/proof?key={FIRST}",
            f"/v1/rows/asset.tallies/proof?key={fixed.shop}&key=supervisor",
        )
        for path in open_paths:
            assert [status(path, caller) for caller in (shop, bank, {})] == [200, 200, 401], path
        assert [status(desk, caller) for caller in (shop, bank, {})] == [200, 403, 401]


def test_a_chain_without_these_modules_says_so() -> None:
    """
    Given a chain that was begun before there were members and governance,
    when its pages are read,
    then no link leads to either, the list says why it is empty, and proposals are a 404.
    """
    console = Console(FixedChain().reading())

    assert 'href="/members"' not in read(console, "/")
    assert "without the module that keeps members" in read(console, "/members")
    assert "Nobody governs" in read(console, "/proposals", 404)
    assert "Nobody governs" in read(console, "/proposals/new", 404)
    assert "No such member" in read(console, f"/members/{FIRST}", 404)
    assert "No supervisor" in read(console, f"/accounts/{FixedChain.bank}/desk", 404)
