"""The log of a node: one line for each thing worth knowing, on standard error."""

from __future__ import annotations

from tongbao.node.settings import Settings
from tongbao.services.serving.logs import send_log


def configure_log(settings: Settings) -> None:
    """Send everything that is logged in this process to standard error, as the settings say."""
    send_log(settings.log_level, settings.log_format)
