"""Files that browsers keep: style sheets and scripts under a name that changes with their content.

They are read and compressed once, when the server starts. A file under its present name may be kept
for a year, so that a rater loads it once. Under any other name it is the same file, but not kept.

Images are the study's own: a name that the study's texts do not show is no page, and a file that
changed since the study was opened is not sent.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, request

from prereg import files
from prereg.images import Image
from study.web.compression import takes_gzip

FOLDER = Path(__file__).parent / "static"
FOR_A_YEAR = "max-age=31536000, immutable"
_VERSIONED = re.compile(r"(?P<stem>.+)\.(?P<version>[0-9a-f]{12})(?P<ending>\.[a-z]+)")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    compressed: bytes
    mimetype: str
    version: str


def read_assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """Return the files of a folder by name."""
    found = {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        compressed = gzip.compress(content, mtime=0)
        found[path.name] = Asset(content, compressed, kind, files.sha256(content)[:12])
    return found


def serve_assets(app: Flask) -> None:
    """Serve the files of `static`, and give templates their addresses as `assets[NAME]`."""
    assets = read_assets()
    app.jinja_env.globals["assets"] = {
        name: f"/static/{Path(name).stem}.{asset.version}{Path(name).suffix}"
        for name, asset in assets.items()
    }
    app.add_url_rule("/static/<filename>", "static", _sender(assets))


def _sender(assets: Mapping[str, Asset]) -> Callable[[str], Response]:
    def static(filename: str) -> Response:
        """Send a file under its versioned or its plain name."""
        match = _VERSIONED.fullmatch(filename)
        asset = assets.get(match["stem"] + match["ending"] if match else filename)
        if asset is None:
            abort(404)
        small = takes_gzip(request.headers.get("Accept-Encoding", ""))
        response = Response(
            asset.compressed if small else asset.content,
            content_type=f"{asset.mimetype}; charset=utf-8",
        )
        if small:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        kept = match is not None and match["version"] == asset.version
        response.headers["Cache-Control"] = f"public, {FOR_A_YEAR}" if kept else "no-cache"
        response.set_etag(f"{asset.version}-gzip" if small else asset.version)
        response.make_conditional(request)
        return response

    return static


def serve_images(app: Flask, images: Callable[[], Mapping[str, Image]]) -> None:
    """Serve the images that the texts of the study show now, by address, and nothing else."""

    def image(name: str) -> Response:
        """Send an image of the study, if it is still the one that was locked."""
        found = images().get(name)
        if found is None:
            abort(404)
        try:
            content = found.path.read_bytes()
        except OSError:
            abort(404)
        if files.sha256(content) != found.sha256:
            abort(404)
        response = Response(content, content_type=f"image/{found.kind}")
        # the study's own material, so only the rater's browser may keep it
        response.headers["Cache-Control"] = f"private, {FOR_A_YEAR}"
        return response

    app.add_url_rule("/image/<name>", "image", image)
