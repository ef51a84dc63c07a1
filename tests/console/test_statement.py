"""The statement's page, the history's, and the chart: sums, periods, odd questions."""

from __future__ import annotations

import re
from random import Random

import pytest

from tests.console.conftest import Shown, read
from tests.console.test_movements import MINUS, Unreadable, fed, paying_chain
from tests.console.test_pages import Outline
from tests.fixed_chain import BEGIN, FixedChain
from tongbao.console import Console
from tongbao.console.chart import HEIGHT, WIDTH, Step, balance_chart
from tongbao.sdk.bundle_verification import verify_bundle
from tongbao.sdk.proofs import to_json

BIG = re.compile(r'<span class="big">([^<]*)</span>')
ROW = re.compile(r'data-key="moved-(\d+)-\d+-\d+"')


def path_of(query: str = "", account: str = FixedChain.alice) -> str:
    """The page of alice's statement in CNY."""
    return f"/accounts/{account}/statement?asset={FixedChain.cny}{query}"


def test_a_statement_shows_balances_sums_and_each_movement() -> None:
    """
    Given alice, who got 100.00 and paid 1.25 three times,
    when her statement is read,
    then opening, in, out and closing stand above the movements, each with the balance after it.
    """
    fixed = paying_chain(3)
    chain = fixed.reading()
    with fed(chain) as index:
        text = read(Console(chain, index), path_of())
    assert BIG.findall(text) == ["0.00", "100.00", "3.75", "96.25"]
    numbers = re.findall(r'<td class="number(?: in| out)?">([^<]*)</td>', text)
    paid = [f"{MINUS}1.25"] * 3
    assert numbers[::2] == ["+100.00", *paid]
    assert numbers[1::2] == ["100.00", "98.75", "97.50", "96.25"]
    assert "It opens at 0.00, is 0.00 at least and 100.00 at most, and ends at 96.25." in text


def test_long_statements_are_turned_and_their_sums_stay() -> None:
    """
    Given more movements than a page has,
    when its pages are turned by their links,
    then each movement is listed once, oldest first, and every page has the sums of all.
    """
    fixed = paying_chain(250 // 5)
    for _ in range(70):
        fixed.make(fixed.pay("0.10"))
    chain = fixed.reading()
    with fed(chain) as index:
        console, listed = Console(chain, index), []
        path = path_of()
        while path:
            text = read(console, path)
            listed += ROW.findall(text)
            assert BIG.findall(text) == ["0.00", "100.00", "69.50", "30.50"]
            following = re.search(r'href="([^"]*start=\d+)" rel="next"', text)
            path = following[1].replace("&amp;", "&") if following else ""
    assert listed == [str(height) for height in range(1, 122)]


def test_a_period_is_chosen_by_dates_the_last_included(shown: Shown) -> None:
    """
    Given movements of one day,
    when that day, the day before and the day after are chosen,
    then the day has them, and around it the balance stands still.
    """
    day = shown.get(path_of("&from=2026-09-21&until=2026-09-21"))
    before = shown.get(path_of("&until=2026-09-20"))
    after = shown.get(path_of("&from=2026-09-22"))
    assert len(ROW.findall(day)) == 3
    assert BIG.findall(before) == ["0.00", "0.00", "0.00", "0.00"]
    assert BIG.findall(after) == ["67.50", "0.00", "0.00", "67.50"]
    assert "Nothing moved in this period." in before and "<figure" not in after
    assert BEGIN < 1_790_035_200_000


def test_the_buttons_give_the_same_period_to_keep(shown: Shown) -> None:
    """
    Given a statement's page of a period,
    when its links to keep it are followed,
    then the bundle is proven and of that period, and CSV and JSON are of the same.
    """
    outline = Outline(shown.get(path_of("&from=2026-09-21&until=2026-09-21")))
    links = [str(one["href"]) for one in outline.all("a") if "download" in one]
    bundle, csv, json = [link for link in links if link.startswith("/v1/")]
    client = shown.served.client
    found = verify_bundle(client.get(bundle).content, to_json(shown.served.chain.trust()))
    assert [line.amount for line in found.statement.movements] == ["100.00", "12.50", "20.00"]
    assert found.statement.first_time == 1_789_948_800_000
    lines = client.get(csv).text.splitlines()
    assert [line.split(",")[2] for line in lines] == ["amount", "100.00", "12.50", "20.00"]
    said = client.get(json).json()
    assert [one["amount"] for one in said["movements"]] == ["100.00", "12.50", "20.00"]
    assert (said["opening"], said["closing"]) == ("0.00", "67.50")


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ("&from=yesterday", 400, "A date is written as"),
        ("&until=2026-02-30", 400, "A date is written as"),
        ("&from=2026-09-22&until=2026-09-21", 400, "The period ends before it begins."),
        ("&start=-1", 400, "Begin with its first page"),
        ("&to=2026-09-22", 400, "is called until here"),
    ],
)
def test_odd_questions_get_a_page_that_says_what_is_expected(
    shown: Shown, query: str, status: int, part: str
) -> None:
    """Given an odd period or place, when the page is read, then it says what would be right."""
    found = shown.served.client.get(path_of(query), headers={"accept": "text/html"})
    assert (found.status_code, part in found.text) == (status, True)


def test_unknown_accounts_and_assets_are_missing_and_nothing_held_is_said(shown: Shown) -> None:
    """
    Given an account that nobody opened, an asset that nobody defined, and one who holds nothing,
    when their statements and histories are read,
    then the first two are not found, and the third's page says what to do.
    """
    served = shown.served
    client, html = served.client, {"accept": "text/html"}
    nobody = "0" * 39 + "f"
    for path in (
        path_of(account=nobody),
        f"/accounts/{nobody}/history",
        f"/accounts/{served.fixed.alice}/statement?asset=TIN.{served.fixed.bank}",
    ):
        assert client.get(path, headers=html).status_code == 404, path
    empty = client.get(f"/accounts/{served.fixed.bank}/statement", headers=html)
    assert "It holds nothing, and nothing of it has moved lately." in empty.text


def test_an_asset_that_was_given_away_can_still_be_chosen() -> None:
    """
    Given alice, who has paid all that she had,
    when her statement is read without naming an asset,
    then it is of that asset, which her last movements name.
    """
    fixed = FixedChain()
    fixed.make(fixed.pay("100.00"))
    chain = fixed.reading()
    with fed(chain) as index:
        text = read(Console(chain, index), f"/accounts/{FixedChain.alice}/statement")
    assert BIG.findall(text) == ["0.00", "100.00", "100.00", "0.00"]
    assert f'<option value="{FixedChain.cny}" selected>' in text


def test_without_an_index_that_answers_the_pages_say_so() -> None:
    """
    Given no index, one that can't be read, and one that lags,
    when statement and history are read,
    then each page says so, and none fails.
    """
    chain = FixedChain().reading()
    history = f"/accounts/{FixedChain.alice}/history"
    for path in (path_of(), history):
        assert "The index is not running" in read(Console(chain), path)
        with Unreadable.open(None, chain.id) as index:
            assert "The index cannot be read now" in read(Console(chain, index), path)
    fixed = paying_chain(2)
    chain = fixed.reading()
    with fed(chain, 1) as index:
        for path in (path_of(), history):
            text = read(Console(chain, index), path)
            assert "The index is at height 1, the chain at 3" in text
            assert 'data-again=""' in text


def test_a_history_lists_refused_transactions_too(shown: Shown) -> None:
    """
    Given alice, who was refused once,
    when her history and the shop's are read,
    then hers has it among the applied ones, and the shop's says who sent what it took part in.
    """
    fixed = shown.fixed
    hers = shown.get(f"/accounts/{fixed.alice}/history")
    shops = shown.get(f"/accounts/{fixed.shop}/history")
    assert hers.count("outcome refused") == 1
    assert shown.refused in hers and shown.refused not in shops
    assert re.search(rf"by\s+<a[^>]*/accounts/{fixed.alice}", shops)


def points_of(line: str) -> list[tuple[int, int]]:
    """The corners of a path of horizontal and vertical lines."""
    x, y = 0, 0
    corners = []
    for letter, numbers in re.findall(r"([MHV])([-0-9 ]+)", line):
        if letter == "M":
            x, y = map(int, numbers.split())
        elif letter == "H":
            x = int(numbers)
        else:
            y = int(numbers)
        corners.append((x, y))
    return corners


def test_a_chart_is_a_line_of_steps_within_its_frame() -> None:
    """
    Given balances from a seed, few and many, large and small,
    when their charts are made,
    then every corner is within the frame, places never go back, the line ends at the last balance,
    and both the highest and the lowest are on it.
    """
    random = Random(3)
    for count in (1, 2, 700, 5_000):
        times = sorted(random.randrange(10**6) for _ in range(count))
        steps = [Step(time, random.randrange(10**18)) for time in times]
        chart = balance_chart(random.randrange(10**18), steps, 0, 10**6)
        corners = points_of(chart.line)
        places = [x for x, _ in corners]
        assert places == sorted(places)
        assert corners[-1][0] == WIDTH
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners)
        assert len(corners) <= 4 * WIDTH + 8
        span = chart.high - chart.low
        assert corners[-1][1] == HEIGHT - (steps[-1].units - chart.low) * HEIGHT // span
        assert 0 in {y for _, y in corners}
        assert chart.most.units == max(chart.high, 0)


def test_a_chart_begins_at_zero_unless_all_happens_far_above() -> None:
    """
    Given a balance that falls to a third, one that hardly moves, and one that is always nothing,
    when their charts are made,
    then the edges are zero and the highest, the lowest and the highest, and never the same.
    """
    falling = balance_chart(900, [Step(5, 300)], 0, 10)
    still = balance_chart(900, [Step(5, 899)], 0, 10)
    nothing = balance_chart(0, [], 0, 0)
    assert (falling.low, falling.high) == (0, 900)
    assert (still.low, still.high) == (899, 900)
    assert (nothing.low, nothing.high, nothing.line) == (0, 1, f"M0 {HEIGHT}H{WIDTH}")
    assert falling.line == f"M0 0H300V107H{WIDTH}"
    assert falling.area == f"{falling.line}V{HEIGHT}H0Z"
