"""The links that `ratify serve` prints, for raters, for a platform, and to try the study."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.folder import Study
    from study.serving.command import Serving

HOSTS = "RATIFY_HOSTS"
UNKNOWN_HOST = "YOUR-HOST"
EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - these are compared, not bound


def link_of(study: Study) -> str:
    """Return the query of the raters' link, with the placeholders of the study's platform."""
    if study.plan.recruitment.platform != "prolific":
        return "rater=YOUR-ID"
    # as Prolific's form expects the study's link, with its placeholders
    names = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
    return "&".join(f"{name}={{{{%{name}%}}}}" for name in names)


def links(study: Study, serving: Serving, address: str) -> list[str]:
    """Return lines with the links to give away.

    Parameters
    ----------
    study : Study
    serving : Serving
    address : str
        Where this server answers, `http://HOST:PORT`.
    """
    if serving.mode == "pilot":
        return [_pilot(serving, address)]
    if serving.mode != "live":
        return []
    public = f"https://{public_host(serving.host)}"
    if study.plan.recruitment.platform == "prolific":
        return [f"for Prolific {public}/?{link_of(study)}   (paste it as the study's link)"]
    return [f"for raters   {public}/?rater=THEIR-ID   (each rater has a different id)"]


def _pilot(serving: Serving, address: str) -> str:
    """Return the line with a link that a colleague can open."""
    port = address.rpartition(":")[2]
    if serving.host in EVERYWHERE:
        reachable = f"http://{_own_address()}:{port}"
        return (
            f"pilot link   {reachable}/?rater=COLLEAGUE-1   (in your network; a new id each time)"
        )
    if _is_loopback(serving.host):
        return (
            f"pilot link   {address}/?rater=COLLEAGUE-1   (this computer only; `--host 0.0.0.0` "
            "lets a colleague in your network open it)"
        )
    return f"pilot link   {address}/?rater=COLLEAGUE-1   (a new id each time)"


def public_host(bound: str) -> str:
    """Return the name under which raters reach the server, as far as it is known.

    It is the first of RATIFY_HOSTS, or else the host that is served on, if that is a name.
    """
    named = os.environ.get(HOSTS, "").replace(",", " ").split()
    if named:
        return named[0].lstrip(".*")
    try:
        ipaddress.ip_address(bound)
    except ValueError:
        return bound if "." in bound else UNKNOWN_HOST
    return UNKNOWN_HOST


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_address() -> str:
    """Return this machine's address in its network; nothing is sent to find it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # an address that is kept for documentation
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()
