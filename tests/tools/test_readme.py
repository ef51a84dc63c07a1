"""The README's program is what it says it is: an example that runs, with types that hold."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "examples" / "open_pay_verify.py"


def block() -> str:
    """The README's Python block as it is written."""
    return (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]


def test_the_readme_and_the_example_are_one_program() -> None:
    """
    Given the README's block and the example that it names,
    when their imports and lines are compared,
    then they are equal; the example only works in a folder that goes away.
    """
    imports, lines = block().split("\n\n")
    _, standard, project, inside = EXAMPLE.read_text().split("\n\n")

    assert standard == "import tempfile\nfrom contextlib import chdir"
    assert project == imports
    first, _, rest = inside.partition("\n")
    assert first == "with tempfile.TemporaryDirectory() as folder, chdir(folder):"
    assert (dedent(rest), len(lines.splitlines())) == (lines, 10)


def test_the_readme_passes_a_strict_type_checker(tmp_path: Path) -> None:
    """
    Given the README's block as a file,
    when mypy checks it strictly,
    then it finds nothing.
    """
    program = tmp_path / "program.py"
    program.write_text(block())
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "Success: no issues found in 1 source file\n")
