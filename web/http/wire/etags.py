"""Conditional requests: whether the one who asks has the content already."""

import re

from fastapi import Request

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def is_known(request: Request, etag: str) -> bool:
    """Tell whether If-None-Match names a strong tag, compared weakly, or anything at all (RFC 9110, section 13.1.2)."""
    given = ",".join(request.headers.getlist("if-none-match"))
    return given.strip() == "*" or etag in _TAG.findall(given)
