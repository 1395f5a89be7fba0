"""Why a Redfish service could not be used: one class per cause, with the next step.

Raised by the other modules of this folder, printed as the one line on stderr by
``run``. The fencer searches that line for "timeout" and "timed out", so these sentences
speak of silence instead; they never contain a secret.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError, Refused, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


MOST_LISTED = 20
MOST_LETTERS = 100
CLASSIFIED = ("timeout", "timed out", "unrecogni", "unsupported")


def harmless(told: object) -> str:
    """Return what a service said, short, and "" where the fencer would mistake it."""
    text = " ".join(str(told).split())[:MOST_LETTERS]
    lower = text.lower()
    wrong = any(word in lower for word in CLASSIFIED) or not text.isprintable()
    return "" if wrong else text


def _listed(names: Sequence[str]) -> str:
    """Return names for a sentence, some of them if there are many."""
    shown = [harmless(name) for name in names[:MOST_LISTED]]
    more = [f"{len(names) - MOST_LISTED} more"] if len(names) > MOST_LISTED else []
    return ", ".join([name for name in shown if name] + more)


class NameUnresolved(Unreachable):
    """The resolver knows no address for ``name``."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"the name {name} of the BMC cannot be resolved ({reason}): check the "
            "parameter ip, /etc/hosts and DNS"
        )


class PortClosed(Unreachable):
    """The host answers that nobody listens there."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"nothing listens at {bmc}: check ip and ipport, and that Redfish is "
            "enabled on the BMC"
        )


class NoAnswer(Unreachable):
    """Nothing came back."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} does not answer: check its address, cable and power"
        )


class NoHandshake(Unreachable):
    """It was connected to, and the TLS handshake did not end; nothing was asked."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} takes connections and does not complete the TLS "
            "handshake: check ipport, and whether the BMC restarts or is overloaded"
        )


class FellSilent(Unreachable):
    """A connection was there, and no whole answer came over it."""

    def __init__(self, bmc: str, what: str) -> None:
        super().__init__(
            f"the BMC at {bmc} did not answer {what} to the end: check whether it "
            "restarts or is overloaded"
        )


class Untrusted(Refused):
    """The certificate is not one to trust for this name."""

    def __init__(self, bmc: str, reason: str) -> None:
        super().__init__(
            f"the certificate of the BMC at {bmc} is not trusted ({reason}): give its "
            "authority in ca_file and its name in ip, or set ssl_insecure=1"
        )


class NotTls(Refused):
    """What listens there does not speak TLS as we do."""

    def __init__(self, bmc: str, reason: str) -> None:
        super().__init__(
            f"no TLS connection to the BMC at {bmc} ({reason}): check ipport; for a "
            "BMC that speaks HTTP only set ssl=0"
        )


class BadTrust(AgentError):
    """The file of trusted certificates cannot be used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"ca_file {path} cannot be used: {reason}")


class NotRedfish(Refused):
    """There is a web server, but no Redfish service root."""

    def __init__(self, bmc: str, path: str, seen: str) -> None:
        super().__init__(
            f"there is no Redfish service at {bmc} under {path} ({seen}): check "
            "redfish_uri and ipport, and that Redfish is enabled on the BMC"
        )


class WrongLogin(Refused):
    """User or password are not accepted; Redfish does not tell which."""

    def __init__(self, bmc: str, user: str) -> None:
        super().__init__(
            f"the BMC at {bmc} does not accept user {user!r} with this password: check "
            "username and password, and that the account is enabled and not locked"
        )


class PrivilegeTooLow(Refused):
    """The account may not do what was asked."""

    def __init__(self, bmc: str, user: str, what: str) -> None:
        super().__init__(
            f"the BMC at {bmc} does not allow user {user!r} {what}: give the account "
            "the role Operator or Administrator"
        )


class Busy(AgentError):
    """The service has no time now; later it may. ``after_s`` is when, 0 if unsaid."""

    def __init__(self, bmc: str, what: str, after_s: float = 0.0) -> None:
        self.after_s = after_s
        super().__init__(
            f"the BMC at {bmc} is busy ({what}): look for other programs that use it, "
            "or restart the BMC"
        )


class SessionsTaken(Busy):
    """All sessions of the service are in use."""

    def __init__(self, bmc: str, after_s: float = 0.0) -> None:
        super().__init__(bmc, "", after_s)
        self.args = (
            f"all sessions of the BMC at {bmc} are taken: end those of other programs, "
            "or wait until it forgets them",
        )


class Conflict(AgentError):
    """The service does not take an order in its present state."""

    def __init__(self, bmc: str, what: str) -> None:
        super().__init__(
            f"the BMC at {bmc} refuses {what} in its present state: look whether it "
            "updates its firmware or the node is changing its power"
        )


class Missing(Refused):
    """A resource that must be there is not."""

    def __init__(self, bmc: str, path: str) -> None:
        super().__init__(
            f"the BMC at {bmc} has no {path}: check systems_uri, or leave it out"
        )


class SeveralSystems(Refused):
    """The service has more systems than one, and none was chosen."""

    def __init__(self, bmc: str, paths: Sequence[str]) -> None:
        super().__init__(
            f"the BMC at {bmc} has {len(paths)} systems: set systems_uri to one of "
            f"{_listed(paths)}"
        )


class UnknownSystem(Refused):
    """The system that was chosen is not there."""

    def __init__(self, bmc: str, path: str, paths: Sequence[str]) -> None:
        super().__init__(
            f"the BMC at {bmc} has no system {path}: set systems_uri to one of "
            f"{_listed(paths)}"
        )


class NoSystem(Refused):
    """The service has no system at all."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} shows no system whose power could be read: set "
            "systems_uri, and check what this account may see"
        )


class ResetMissing(Refused):
    """The system has no way to do what was asked."""

    def __init__(self, bmc: str, wanted: str, allowed: Sequence[str]) -> None:
        offers = _listed(allowed) or "no reset at all"
        super().__init__(
            f"the system of the BMC at {bmc} does not offer {wanted}, only {offers}: "
            "fence this node with another device"
        )


class Transitional(AgentError):
    """The power state is neither on nor off."""

    def __init__(self, bmc: str, state: object) -> None:
        super().__init__(
            f"the BMC at {bmc} shows the power state {harmless(state) or '-'}, which "
            "is neither on nor off: look at the node's console"
        )


class RequestRefused(Refused):
    """A request came back with a status that says no."""

    def __init__(self, bmc: str, what: str, status: int, message: str) -> None:
        self.status = status
        told = f", {harmless(message)}" if message else ""
        super().__init__(
            f"the BMC at {bmc} refused {what} (HTTP status {status}{told}): look at "
            "its event log"
        )


class Unintelligible(AgentError):
    """An answer is not what Redfish says."""

    def __init__(self, bmc: str, what: str) -> None:
        super().__init__(
            f"the BMC at {bmc} answered {what}, which Redfish does not allow: update "
            "its firmware"
        )
