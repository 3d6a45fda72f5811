"""The key that form tokens are signed with."""

import os
import secrets
from pathlib import Path

from web.settings import Settings
from web.settings.house import KEY_BYTES

KEY_FILE = "secret_key"


def signing_key(settings: Settings) -> bytes:
    """Return SECRET_KEY, or the key kept in DATA_DIR, made on the first call and readable by its owner only."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / KEY_FILE
    if not path.exists():
        _make_key(path)
    return path.read_bytes()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename, this leaves a key that another process just made
    except FileExistsError:
        pass
    finally:
        draft.unlink()
