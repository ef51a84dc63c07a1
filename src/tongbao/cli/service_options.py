"""Options of commands that serve over HTTP beside a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tongbao.cli.failures import CommandError

if TYPE_CHECKING:
    from tongbao.services.serving.tls import Tls

F = TypeVar("F", bound=Callable[..., Any])

LEVELS: Final = ("debug", "info", "warning", "error")


def listen_options(port: int) -> Callable[[F], F]:
    """Where a service listens, by what name it is called, and with which certificate.

    Adds `host`, `port`, `origin`, `tls_certificate`, `tls_key`, `behind_tls_proxy`, `log_level`.
    """
    file = click.Path(dir_okay=False, path_type=Path)
    options = (
        click.option(
            "--host",
            default="127.0.0.1",
            show_default=True,
            help="Address to listen on; one that others can reach wants TLS.",
        ),
        click.option(
            "--port",
            type=click.IntRange(0, 65_535),
            default=port,
            show_default=True,
            help="Port to listen on; 0 takes a free one.",
        ),
        click.option(
            "--origin",
            callback=_check_origin,
            help="How others call the service, such as https://store.example; else its address.",
        ),
        click.option(
            "--tls-certificate", type=file, help="PEM file with the certificate and those above it."
        ),
        click.option("--tls-key", type=file, help="PEM file with its key, unencrypted."),
        click.option(
            "--behind-tls-proxy",
            is_flag=True,
            help="A proxy in front has TLS: listen in the clear on any address.",
        ),
        click.option(
            "--log-level",
            type=click.Choice(LEVELS),
            default="info",
            show_default=True,
            help="What is logged, at least, as JSON on standard error.",
        ),
    )

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def tls_of(given: Mapping[str, Any]) -> Tls | None:
    """The certificate that options name, if any. Raises CommandError."""
    from tongbao.services.serving.tls import Tls

    certificate, key = given["tls_certificate"], given["tls_key"]
    if (certificate is None) != (key is None):
        raise CommandError(
            "a certificate goes with its key", "give --tls-certificate and --tls-key"
        )
    return None if certificate is None else Tls(certificate, key)


def _check_origin(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    from tongbao.sdk.sessions import origin_of

    if value is None:
        return None
    found = value.rstrip("/")
    if not found.startswith(("http://", "https://")) or origin_of(found) != found:
        raise click.BadParameter(f"{value!r} is no origin: write it as https://store.example")
    return found
