"""A desk and its like out of a node of several processes, whose readers ask rows and index."""

from __future__ import annotations

from pathlib import Path

from tests.console.test_desk import freezing
from tests.console.test_pages import Outline
from tests.fixed_chain import HOUR
from tests.modules.member_steps import SECOND
from tests.node.process import lay, running
from tests.sdk.kept_chain import CNY, OWNER, PASSPHRASE, reopen
from tongbao.kernel import PublicKey, Small, Time
from tongbao.modules import account
from tongbao.modules.governance import AdmitMember, Delay, Found, Propose
from tongbao.modules.member import MemberName, Role
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY, operator_wallet


def test_a_desk_is_the_same_out_of_several_processes(tmp_path: Path) -> None:
    """
    Given a chain whose operator is a supervisor and has frozen a payer's holding,
    when a node of two processes serves it, and its members, its proposals and the desk are read,
    then each is there, whole, with the act, the freeze in force and the count.
    """
    ground = lay(tmp_path / "chain")
    payer = ground.payers[0]
    signer = Keystore(ground.folder / "keys").unlock(AUTHORITY, PASSPHRASE)
    with reopen(ground.folder) as chain:
        operator = operator_wallet(chain, ground.folder, PASSPHRASE)
        found = Found(
            authority=PublicKey(signer.key_id),
            operators=(OWNER,),
            threshold=Small(1),
            delay_ms=Delay(0),
        )
        operator.send(found, also=(signer,))
        admit = AdmitMember(
            member=SECOND,
            name=MemberName("Watch & Ward"),
            accounts=(OWNER,),
            roles=(Role("supervisor"),),
        )
        operator.send(Propose(actions=(admit,), closes_at=Time(chain.now() + HOUR)))
        operator.send(account.SetLanes(lanes=Small(16)))
        operator.send(freezing(CNY, payer, chain.now() + HOUR, as_supervisor=True))
        height = chain.head().height
    with running(ground.folder, "--processes", "2") as node:
        movements = f"/v1/accounts/{payer}/movements"
        assert node.client.get(movements, params={"min_height": height}).status_code == 200
        desk = f"/accounts/{OWNER}/desk"
        paths = ("/members", f"/members/{SECOND}", "/proposals", desk, f"/accounts/{payer}")
        answers = [node.client.get(path, headers={"accept": "text/html"}) for path in paths]

    assert [answer.status_code for answer in answers] == [200] * len(paths)
    assert all(Outline(answer.text).open == [] for answer in answers)
    assert "Watch &amp; Ward" in answers[0].text and "Carried out" in answers[2].text
    assert answers[3].text.count('data-key="act-') == 1
    assert answers[3].text.count('data-key="frozen-') == 1
    assert "Frozen 1" in answers[3].text
