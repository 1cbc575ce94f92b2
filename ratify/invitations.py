"""The links that `ratify serve` prints, for raters, for a platform, and to try the study."""

from __future__ import annotations

import ipaddress
import os
import shlex
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.chat.study import ChatStudy
    from study.folder import Study
    from study.serving.command import Serving

HOSTS = "RATIFY_HOSTS"
UNKNOWN_HOST = "YOUR-HOST"
EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - these are compared, not bound


def link_of(study: Study | ChatStudy, *, trying: bool = False) -> str:
    """Return the query of the raters' link.

    With the placeholders of the study's platform, as its form expects the link; or, to try the
    study, as a browser opens it.
    """
    if study.plan.recruitment.platform == "prolific":
        if trying:
            return _try_prolific("YOUR-ID")
        names = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
        return "&".join(f"{name}={{{{%{name}%}}}}" for name in names)
    if study.plan.recruitment.links == "signed":
        # a real one would take a place of the live study
        return _signed(study, "YOUR-ID") if trying else "rater=THEIR-ID&sig=THEIRS"
    return "rater=YOUR-ID" if trying else "rater=THEIR-ID"


def _try_prolific(name: str) -> str:
    return f"PROLIFIC_PID={name}&STUDY_ID=pilot&SESSION_ID={name}"


def _signed(study: Study | ChatStudy, name: str) -> str:
    from study.visits.links import signed_links, signing_key

    ((_, link),) = signed_links(signing_key(study.folder), "http://localhost", [name])
    return link.partition("?")[2]


def opened_at(address: str) -> str:
    """Return the address at which a browser on this computer opens a server.

    A server that listens at every address (0.0.0.0) is not found at that one.
    """
    host, _, port = address.removeprefix("http://").rpartition(":")
    if host.strip("[]") not in EVERYWHERE:
        return address
    return f"http://{'[::1]' if ':' in host else '127.0.0.1'}:{port}"


def links(study: Study | ChatStudy, serving: Serving, address: str) -> list[str]:
    """Return lines with the links to give away.

    Parameters
    ----------
    study : Study or ChatStudy
    serving : Serving
    address : str
        Where this server answers, `http://HOST:PORT`.
    """
    from study.chat.study import ChatStudy

    signed = study.plan.recruitment.links == "signed"
    if serving.mode == "pilot":
        line = [_pilot(study, serving, address)]
        if not signed:
            return line
        return [*line, _make_links(study, _reachable(serving, address), "more pilots")]
    if serving.mode != "live":
        return []
    public = f"https://{public_host(serving.host)}"
    who = "participant" if isinstance(study, ChatStudy) else "rater"
    if study.plan.recruitment.platform == "prolific":
        return [f"for Prolific {public}/?{link_of(study)}   (paste it as the study's link)"]
    if signed:
        return [_make_links(study, public, f"for {who}s")]
    return [f"{f'for {who}s':<12} {public}/?rater=THEIR-ID   (each {who} has a different id)"]


def _make_links(study: Study | ChatStudy, address: str, what: str) -> str:
    """Return the line with the command that makes signed links."""
    from study.serving.command import places_of

    count, folder = places_of(study), shlex.quote(str(study.folder))
    return (
        f"{what:<12} run `ratify links {folder} --count {count} --host {address}`: only "
        "signed links are accepted"
    )


def _pilot(study: Study | ChatStudy, serving: Serving, address: str) -> str:
    """Return the line with a link that a colleague can open."""
    query, again = "rater=COLLEAGUE-1", "a new id each time"
    if study.plan.recruitment.platform == "prolific":
        query = _try_prolific("COLLEAGUE-1")
    elif study.plan.recruitment.links == "signed":
        query, again = _signed(study, "COLLEAGUE-1"), "for one colleague"
    if serving.host in EVERYWHERE:
        return f"pilot link   {_reachable(serving, address)}/?{query}   (in your network; {again})"
    if _is_loopback(serving.host):
        return (
            f"pilot link   {address}/?{query}   (this computer only; `--host 0.0.0.0` "
            "lets a colleague in your network open it)"
        )
    return f"pilot link   {address}/?{query}   ({again})"


def _reachable(serving: Serving, address: str) -> str:
    """Return the address at which other computers in the network reach the server."""
    if serving.host not in EVERYWHERE:
        return address
    return f"http://{_own_address()}:{address.rpartition(':')[2]}"


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
