"""Which server of S3 is installed for tests."""

from __future__ import annotations

from pathlib import Path

from tools.versitygw import SIGN, SOURCE, VERSION, install, is_there


def test_one_exact_version_is_installed_and_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """Given a program of that version, one of another, and none.

    When asked which is there
    Then it is the first, which is left alone
    """
    assert SOURCE.endswith(f"@v{VERSION}")
    program = tmp_path / "bin" / "versitygw"
    assert not is_there(program)
    program.parent.mkdir()
    program.write_bytes(SIGN.replace(b"1.8.0", b"1.7.0"))
    assert not is_there(program)
    program.write_bytes(b"program" + SIGN)
    assert install(tmp_path) == program
    assert program.read_bytes() == b"program" + SIGN
