"""A reader's secrets stay with the reader."""


class SecretNotFoundError(Exception):
    """There is none."""


def get(key: str) -> str:
    """No secret is here."""
    raise SecretNotFoundError(f"The secret {key} is not here.")
