"""Run the ML service on this machine: `python -m ml_service`."""

import sys

import uvicorn
from pydantic import ValidationError

from ml_service.app import create_app
from ml_service.settings import Settings


def main() -> int:
    """Serve until stopped; exit code 2 and a line per fault where a setting is missing or bad."""
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors():
            print(
                f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}. Set it and start again.", file=sys.stderr
            )
        return 2
    uvicorn.run(create_app(settings), host="127.0.0.1", port=settings.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
