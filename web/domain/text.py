"""Text that people and machines send, made fit to be kept and shown."""

COMMENT_LIMIT = 300


def plain(text: str) -> str:
    """Return text without control, direction and other invisible characters; ends of lines and spaces stay."""
    return "".join(character for character in text if character.isprintable() or character == "\n")
