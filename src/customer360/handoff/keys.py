"""Keys of the files that leave: one secret, and a key of its own for each purpose.

The secret lies in `secrets/handoff.key` (`Store.secret`), outside git and DVC; decision 9
says why. Whoever holds it can tell our traps from customers and undo the pseudonyms of a
rental file, so each purpose gets a key worked out from it that says nothing of the others.
"""

from __future__ import annotations

from hashlib import sha256

from customer360.handoff.traps import check_key, keyed_hash

__all__ = ["DEMO_KEY", "derive_key", "key_mark"]

#: For the dataset `demo` only, whose people are made up: the same files on every machine.
DEMO_KEY = sha256(b"customer360 demo, not a secret").digest()


def derive_key(secret: bytes, *, purpose: str) -> bytes:
    """A key of its own for one purpose, always the same from the same secret.

    Parameters
    ----------
    secret : bytes
    purpose : str
        "traps"; "rental NAME", one for each partner, so that two cannot join their files.

    Raises
    ------
    HandoffError
        When the secret is short.

    Examples
    --------
    >>> derive_key(DEMO_KEY, purpose="traps") == derive_key(DEMO_KEY, purpose="rental a")
    False
    """
    check_key(secret)
    return bytes.fromhex(keyed_hash(f"key\n{purpose}", key=secret))


def key_mark(secret: bytes) -> str:
    """Eight letters that tell which secret files were made with, and nothing else of it."""
    return keyed_hash("mark", key=secret)[:8]
