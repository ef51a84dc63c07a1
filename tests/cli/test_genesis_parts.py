"""`tongbao genesis part`, `assemble`: institutions make one genesis, each by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.cli.calling import Place, Told
from tests.cli.desk import Desk
from tests.softhsm import PROGRAM, Token
from tongbao.cli.exits import Exit
from tongbao.kernel import GenesisError
from tongbao.sdk.genesis_parts import LAID_OUT, in_order, read_part
from tongbao.sdk.keystore import Cost, Keystore

CHEAP: Final = Cost(memory_kib=8, iterations=1)
NAMES: Final = ("bank", "clearing", "registry")
OUT: Final = ("--out", "x.part")
AT: Final = ("--address", "bank.example:26656")
SIGNER: Final = ("--signer", "pkcs11:token=bank;object=operator")
AGREED: Final = ("--name", "settlement", "--time", "2026-12-01T09:00:00Z", "--threshold", "2")


def part_of(place: Place, name: str, *words: str) -> str:
    """The file of a part that was made in a place's folder."""
    file = str(place.folder.with_name(f"{name}.part"))
    address = f"{place.folder.name}.example:26656"
    place.do("genesis", "part", name, "--out", file, "--address", address, *words)
    return file


def with_operator(place: Place) -> Place:
    """A place whose folder has a key for its operator, made cheaply."""
    assert place.passphrase is not None
    Keystore(place.folder / "keys", CHEAP).create("operator", place.passphrase)
    return place


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    """The folders of three institutions."""
    return [with_operator(Place(tmp_path / name)) for name in NAMES]


@pytest.fixture
def parts(places: list[Place]) -> list[str]:
    """The files that they have handed out."""
    return [part_of(place, name) for place, name in zip(places, NAMES, strict=True)]


def assemble(place: Place, *words: str) -> Told:
    """What assembling says, as everybody agreed on."""
    return place.call("genesis", "assemble", *words, *AGREED)


def test_three_institutions_make_one_genesis_each_by_itself(
    places: list[Place], parts: list[str], tmp_path: Path
) -> None:
    """
    Given the parts of three institutions, and of one more node of the third,
    when each of the four nodes assembles them, in another order,
    then all have the same file, with four validators and three operators, each remembers all
    accounts by the parts' names, and `operator` is its own.
    """
    spare = Place(tmp_path / "spare")
    every = [*parts, part_of(spare, "registry-2", "--without-operator")]
    for turn, place in enumerate([*places, spare]):
        told = assemble(place, *every[turn:], *every[:turn], "--json")
        assert told.code == Exit.DONE
        assert [one.partition("@")[2] for one in told.json["persistent_peers"]] == [
            f"{other.folder.name}.example:26656" for other in [*places, spare] if other != place
        ]

    files = {(place.folder / "genesis.json").read_bytes() for place in [*places, spare]}
    assert len(files) == 1
    genesis = msgspec.json.decode(files.pop())
    [governed] = [one for one in genesis["sections"] if one["module"] == "governance"]
    assert genesis["engine"]["keys"] == [
        place.do("keys", "node")["validator"] for place in [*places, spare]
    ]
    operators = governed["content"]["operators"]
    assert (len(operators), governed["content"]["threshold"]) == (3, 2)
    for place, address in zip(places, operators, strict=True):
        names = place.do("account", "names")["accounts"]
        assert names == dict(zip(NAMES, operators, strict=True)) | {"operator": address}


def test_a_part_that_was_changed_on_its_way_has_another_fingerprint(
    parts: list[str], tmp_path: Path
) -> None:
    """
    Given the part of a bank, and one with another key that somebody has put in its place,
    when whoever got them looks at both,
    then their fingerprints differ; a file that is no part, or somebody else's, is said to be that.
    """
    reader = Place(tmp_path / "reader")
    said = reader.do("genesis", "part", "bank", "--check", parts[0])
    other = part_of(with_operator(Place(tmp_path / "thief")), "bank")
    assert (
        reader.do("genesis", "part", "bank", "--check", other)["fingerprint"]
        != (said["fingerprint"])
    )
    told = reader.call("genesis", "part", "bank", "--check", parts[1])
    assert (told.code, "the part of clearing, not of bank" in told.err) == (Exit.WRONG, True)
    for text in (b"{}", b"[", b"x" * 2_000, b'{"format":2}'):
        (tmp_path / "bad.part").write_bytes(text)
        told = reader.call("genesis", "part", "bank", "--check", str(tmp_path / "bad.part"))
        assert (told.code, "get it anew" in told.err) == (Exit.WRONG, True)
    assert not reader.folder.exists()


def test_a_part_of_another_format_is_not_taken(parts: list[str], tmp_path: Path) -> None:
    """Given a part with another format's number, when it is read, then that is said."""
    (tmp_path / "new.part").write_bytes(
        Path(parts[0]).read_bytes().replace(b'"format":1', b'"format":2')
    )
    told = Place(tmp_path / "x").call(
        "genesis", "part", "bank", "--check", str(tmp_path / "new.part")
    )
    assert (told.code, "format 2" in told.err) == (Exit.WRONG, True)


@pytest.mark.parametrize(
    ("said", "forged"),
    [
        ('"name":"bank"', '"name":"operator"'),
        ("bank.example:26656", "bank.example:65536"),
        ("bank.example:26656", "bank.example:0"),
        ("bank.example:26656", "bank::example:26656"),
        ("bank.example:26656", "-bank:26656"),
    ],
)
def test_a_part_that_others_could_not_use_is_not_taken(
    places: list[Place], parts: list[str], said: str, forged: str
) -> None:
    """
    Given a part of somebody hostile, whose name is what each calls its own account, or whose
    address no node can have as a peer,
    when another institution assembles it,
    then that is said, and no chain is laid out.
    """
    part = Path(parts[0])
    text = part.read_text()
    assert said in text
    part.write_text(text.replace(said, forged))
    told = assemble(places[1], *parts)
    assert told.code == Exit.WRONG
    assert not (places[1].folder / "genesis.json").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--threshold", "3"), "a threshold of 3 can't be"),
        (("--name", "Not a name"), "can't name a chain"),
        (("--time", "+2d"), "another time for everybody"),
        (("--time", "soon"), "no time"),
        (("--parameter", "asset.freeze_ms"), "is not one NAME=NUMBER"),
        (("--parameter", "asset.freeze_ms=-1"), "is not one NAME=NUMBER"),
        (("--parameter", "asset.freeze_ms=1"), "asset.freeze_ms is 60000 to 316224000000, not 1"),
        (("--parameter", "asset.no=1"), "no module has a parameter asset.no"),
        (("--module", "nobodys"), "nobodys"),
    ],
)
def test_what_no_network_can_begin_with_is_refused(
    places: list[Place], parts: list[str], more: tuple[str, str], says: str
) -> None:
    """
    Given the parts of two institutions,
    when they are assembled with a wrong word,
    then it says which, and no chain is laid out.
    """
    told = places[0].call("genesis", "assemble", parts[0], parts[1], *AGREED, *more)
    assert told.code in (Exit.USAGE, Exit.CONFIGURATION)
    assert says in told.err
    assert not (places[0].folder / "genesis.json").exists()


def test_parameters_are_agreed_on_as_everything_else(places: list[Place], parts: list[str]) -> None:
    """
    Given the parts of three institutions,
    when two name two parameters in another order, and the third leaves one out,
    then the two have one chain, and the third another.
    """
    some = ("--parameter", "asset.freeze_ms=86400000")
    more = ("--parameter", "governance.voting_ms=60000")
    chains = [
        assemble(place, *parts, *words, "--json").json["chain"]
        for place, words in zip(places, [(*some, *more), (*more, *some), some], strict=True)
    ]
    assert chains[0] == chains[1] != chains[2]


def test_who_has_assembled_with_a_wrong_word_does_it_again(
    places: list[Place], parts: list[str]
) -> None:
    """
    Given three institutions, of which one has assembled with another time than the others,
    when it assembles again, removes what it is told to, and assembles once more,
    then it has the chain of the others, with the keys of its part.
    """
    wanted = assemble(places[0], *parts, "--json").json["chain"]
    hour = ("--time", "2026-12-01T10:00:00Z")
    wrong = places[1].call("genesis", "assemble", *parts, *AGREED, *hour, "--json")
    assert wrong.json["chain"] != wanted
    told = assemble(places[1], *parts)
    for name in LAID_OUT:
        assert name in told.err
        (places[1].folder / name).unlink()
    assert assemble(places[1], *parts, "--json").json["chain"] == wanted


def test_no_network_begins_with_too_many_parts_or_none(parts: list[str]) -> None:
    """Given one part, when it is put in order a hundred times and one, or never, then no."""
    part = read_part(Path(parts[0]).read_bytes())
    for many in ([], [part] * 101):
        with pytest.raises(GenesisError, match=r"a part at least|100 parts at most"):
            in_order(many)


def test_a_key_twice_no_operator_and_a_missing_part_are_refused(
    places: list[Place], parts: list[str], tmp_path: Path
) -> None:
    """
    Given three parts,
    when one is given twice, when none has an operator, or when the node's own is left out,
    then assembling is refused with what to do; done rightly once, a second time as well.
    """
    twice = assemble(places[0], parts[0], *parts)
    assert (twice.code, "two parts have the name bank" in twice.err) == (Exit.CONFIGURATION, True)
    spare = Place(tmp_path / "spare")
    nobody = assemble(spare, part_of(spare, "spare", "--without-operator"))
    assert "no part names an operator" in nobody.err
    missing = assemble(places[0], *parts[1:])
    assert (missing.code, "no part is of the node" in missing.err) == (Exit.NO_INPUT, True)
    assert assemble(places[0], *parts).code == Exit.DONE
    again = assemble(places[0], *parts)
    assert (again.code, "already holds a chain" in again.err) == (Exit.NO_INPUT, True)
    again = places[0].call("genesis", "part", "bank", *OUT, *AT)
    assert (again.code, "already holds a chain" in again.err) == (Exit.NO_INPUT, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("bank",), "belong to a part"),
        (("bank", *OUT), "belong to a part"),
        (("bank", *OUT, "--address", "somewhere"), "'somewhere' is no address"),
        (("bank", *OUT, "--address", "bank.example:0"), "'bank.example:0' is no address"),
        (("operator", *OUT), "each calls its own"),
        (("Bank", *OUT), "can't be a name"),
        (("bank", *OUT, *AT, "--without-operator", *SIGNER), "--signer is an operator's"),
    ],
)
def test_a_part_that_is_not_wholly_named_is_refused(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    """Given an empty folder, when a part is asked for wrongly, then no key is made."""
    told = Place(tmp_path / "node").call("genesis", "part", *words)
    assert told.code in (Exit.USAGE, Exit.CONFIGURATION)
    assert says in told.err
    assert not (tmp_path / "node").exists()


@pytest.mark.needs(PROGRAM)
def test_an_operators_key_may_lie_in_a_token(tmp_path: Path) -> None:
    """
    Given a token with a key,
    when a part is made with it,
    then it names that key, and no key lies in the folder but the node's.
    """
    desk = Desk(tmp_path, **Token(tmp_path, "treasury").environment)
    signer = Token.address("treasury")
    made = desk.do("genesis", "part", "bank", "--signer", signer, *OUT, *AT)
    assert made["operator"] == desk.do("keys", "signer", signer)["public"]
    assert desk.do("keys", "list")["keys"] == []
