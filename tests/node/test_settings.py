"""Settings: three sources in order, and nothing unknown in any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongbao.node.settings import Settings, SettingsError, load


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    """
    Given a file, an environment and flags that each set some of three settings,
    when they are loaded,
    then each setting has the value of the strongest source that names it.
    """
    file = tmp_path / "node.toml"
    file.write_text('host = "ledger.example"\nport = 1\nallowed_hosts = ["ledger.example"]\n')
    environment = {"TONGBAO_NODE_PORT": "2", "TONGBAO_NODE_WAIT_MS": "20", "HOME": "/"}
    found = load(file, environment, {"wait_ms": "30"})

    wanted = Settings(host="ledger.example", port=2, wait_ms=30, allowed_hosts=("ledger.example",))
    assert found == wanted


@pytest.mark.parametrize(
    ("text", "environment", "flags", "said"),
    [
        ("prot = 1", {}, {}, "there is no setting 'prot'"),
        ("port = '1x'", {}, {}, "port"),
        ("port = 70000", {}, {}, "port"),
        ("port = [", {}, {}, "is not TOML"),
        ("", {"TONGBAO_NODE_PROT": "1"}, {}, "the environment: there is no setting 'prot'"),
        ("", {"TONGBAO_NODE_PORT": "one"}, {}, "the environment: port"),
        ("", {}, {"read_policy": "everybody"}, "the flags: read_policy"),
        ("", {}, {"streams": "0"}, "the flags: streams"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(
    tmp_path: Path, text: str, environment: dict[str, str], flags: dict[str, str], said: str
) -> None:
    """
    Given a source with an unknown name or a wrong value,
    when settings are loaded,
    then the error names the source and the setting.
    """
    file = tmp_path / "node.toml"
    file.write_text(text)

    with pytest.raises(SettingsError, match=said):
        load(file, environment, flags)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """
    Given a path without a file,
    when settings are loaded from it,
    then the error says so.
    """
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "none.toml", {}, {})
