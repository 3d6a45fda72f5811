"""Addresses of images that hold for one lease only, and the answers that carry images."""

import hashlib
import hmac
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from fastapi import Response

from ml_service.errors import NotFound

# What `responses` of a route that answers with an image says of 200 and 304.
IMAGE: dict[str, Any] = {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}
UNCHANGED: dict[str, Any] = {"description": "What the browser has under this ETag is still right."}
MAC_BYTES = 16
ID_BYTES = 16


class ImageUrls:
    """Names an image by the lease it is shown under, so that no two raters see the same address of one output."""

    def __init__(self, secret: bytes, base: str = "") -> None:
        self.base = base
        self.secret = hashlib.sha256(b"image addresses" + secret).digest()

    def url(self, lease_id: str, target_id: str) -> str:
        """Return the address of an option's or an input's image under a lease."""
        body = uuid.UUID(lease_id).bytes + uuid.UUID(target_id).bytes
        return f"{self.base}/i/{urlsafe_b64encode(body + self._mac(body)).decode().rstrip('=')}"

    def read(self, token: str) -> tuple[str, str]:
        """Return the lease and the target that an address names, or raise NotFound where we did not make it."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError as error:
            raise NotFound("There is no image at this address.") from error
        body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        if len(body) != 2 * ID_BYTES or not hmac.compare_digest(mac, self._mac(body)):
            raise NotFound("There is no image at this address.")
        return str(uuid.UUID(bytes=body[:ID_BYTES])), str(uuid.UUID(bytes=body[ID_BYTES:]))

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self.secret, body, "sha256")[:MAC_BYTES]


def image_response(body: bytes, media_type: str, *, etag: str = "") -> Response:
    """Answer with an image that the browser may keep for itself, and that it may not take for anything else."""
    return Response(body, media_type=media_type, headers=_terms(etag))


def unchanged(etag: str) -> Response:
    """Answer that the browser has the image already; it takes the headers over, so they are those of the image."""
    return Response(status_code=304, headers=_terms(etag))


def _terms(etag: str) -> dict[str, str]:
    headers = {
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    return {**headers, "ETag": etag} if etag else headers
