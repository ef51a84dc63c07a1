"""Commands on a disk without space."""

from pathlib import Path

import pytest

from tests.cli import small_disk_commands
from tests.small_mount import play


@pytest.mark.needs("unshare", "mount")
@pytest.mark.parametrize("story", sorted(small_disk_commands.STORIES))
def test_a_command_on_a_full_disk_says_so_and_can_be_given_again(
    story: str, tmp_path: Path
) -> None:
    """
    Given a real file system with no space, or space for a few small files only,
    when a chain is begun there, an account made, a copy with holes opened, or the doctor asked,
    then the command ends with 73 and says what to do, leaves nothing half-made, and works later.
    """
    play(small_disk_commands, story, str(tmp_path))
