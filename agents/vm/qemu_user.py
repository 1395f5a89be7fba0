"""The user that libvirt runs QEMU as, where an administrator has chosen one.

Called by ``emulator`` only, and only where a half-dead QEMU of a person's is seen.
Source of the format: libvirt's qemu.conf: ``user`` is a name, a number, or a number
behind a plus sign. Without it the packager's choice counts, which is no person.
"""

from __future__ import annotations

CONFIGURATION = "/etc/libvirt/qemu.conf"
_LONGEST = 1 << 20


def may_be(uid: int, path: str = CONFIGURATION) -> bool:
    """Tell whether libvirt may run QEMU as this user.

    Also where that cannot be told: the file cannot be read, nobody knows the name.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return any(_uid(user) in (uid, None) for user in _users(text))


def _users(text: str) -> list[str]:
    """Return the values of ``user``; of several, whichever libvirt takes is there."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return [_value(pair[1].strip()) for pair in pairs if pair[0].strip() == "user"]


def _value(text: str) -> str:
    quote = text[:1]
    if quote and quote in "\"'":
        return text[1:].partition(quote)[0]
    return text.partition("#")[0].strip()


def _uid(user: str) -> int | None:
    """Return a user's number, None where nobody knows it."""
    import pwd

    digits = user.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        return int(digits)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None
