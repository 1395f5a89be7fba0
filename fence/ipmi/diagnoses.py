"""Why a BMC could not be used: one class per cause, one sentence, one next step.

Raised by ``session`` and ``power``, printed as the one line on stderr by ``run``. The
fencer searches that line for "timeout" and "timed out" and then spends no second try,
so these sentences speak of silence instead; they never contain a secret.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError, Refused, Unreachable


class NameUnresolved(Unreachable):
    """The resolver knows no address for ``name``."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(
            f"the name {name} of the BMC cannot be resolved ({reason}): check the "
            "parameter ip, /etc/hosts and DNS"
        )


class NoAnswer(Unreachable):
    """Nothing came back from ``bmc``."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} does not answer: check its address, cable and power, "
            "and that IPMI over LAN is enabled"
        )


class PortClosed(Unreachable):
    """The host of ``bmc`` answers that nobody listens on that port."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"nothing listens at {bmc}: check ip and ipport, and that IPMI over LAN "
            "is enabled on the BMC"
        )


class NoPath(Unreachable):
    """Neither the BMC's address nor its fallback leads to it."""

    def __init__(self, first: AgentError, second: AgentError) -> None:
        super().__init__(f"{first}; and by fallback_ip: {second}")


class FellSilent(Unreachable):
    """A BMC that was logged in to no longer answers."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} stopped answering in the middle of a session: check "
            "whether it restarts or its network is overloaded"
        )


class TargetUnanswered(FellSilent):
    """A request for the controller behind the BMC came to nothing."""

    def __init__(self, bmc: str, target: int) -> None:
        AgentError.__init__(
            self,
            f"neither the BMC at {bmc} nor the controller 0x{target:02x} behind it "
            "answers any more: check the parameter target, and whether the BMC is well",
        )


class Unintelligible(AgentError):
    """``bmc`` answers with something that is not what IPMI 2.0 says."""

    def __init__(self, bmc: str, what: str) -> None:
        super().__init__(
            f"the BMC at {bmc} answered {what}, which IPMI 2.0 does not allow: "
            "update its firmware"
        )


class WrongPassword(Refused):
    """The keyed hashes of login differ."""

    def __init__(self, bmc: str, user: str) -> None:
        super().__init__(
            f"the BMC at {bmc} and this agent do not agree on the password of user "
            f"{user!r}: check password, password_file, password_script and "
            "hexadecimal_kg"
        )


class WrongUser(Refused):
    """The BMC has no such user, or none of that name with enough privilege."""

    def __init__(self, bmc: str, user: str) -> None:
        super().__init__(
            f"the BMC at {bmc} knows no user {user!r} with enough privilege: check "
            "username, and that the user is enabled for IPMI over LAN"
        )


class WrongKey(Refused):
    """The password is right, the BMC's own key Kg is not."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} uses another key Kg: check the parameter hexadecimal_kg"
        )


class SuiteRefused(Refused):
    """The BMC does not want this cipher suite."""

    def __init__(self, bmc: str, suites: str) -> None:
        super().__init__(
            f"the BMC at {bmc} refuses cipher suite {suites}: set cipher=auto, or "
            "enable suite 17 or 3 on the BMC"
        )


class PrivilegeTooLow(Refused):
    """The user may not do what was asked."""

    def __init__(self, bmc: str, user: str, wanted: str) -> None:
        super().__init__(
            f"the BMC at {bmc} does not grant user {user!r} {wanted}: give the user "
            "the operator or administrator role on the BMC, and check privlvl"
        )


class PrivilegeNotWanted(Refused):
    """The parameter privlvl asks for less than fencing needs."""

    def __init__(self, privilege: str) -> None:
        super().__init__(
            f"with privlvl={privilege} a BMC carries out no power off: set "
            "privlvl=operator, or remove the parameter"
        )


class ChannelTooLow(Refused):
    """The BMC's LAN channel has a privilege limit that is below operator."""

    def __init__(self, bmc: str, limit: str) -> None:
        super().__init__(
            f"the BMC at {bmc} limits its LAN channel to the privilege {limit}, which "
            "cannot power off: raise the channel's privilege limit on the BMC"
        )


class OrderDisabled(Refused):
    """The BMC's firmware firewall forbids an order."""

    def __init__(self, bmc: str, order: str) -> None:
        super().__init__(
            f"the BMC at {bmc} has {order} disabled in its firmware firewall: enable "
            "Chassis Control for its LAN channel (ipmitool firewall enable)"
        )


class Updating(Refused):
    """The BMC runs, but it is starting or renewing its firmware."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} updates its firmware or is still starting, and may not "
            "carry out orders: wait until that has ended"
        )


class OtherBmc(Refused):
    """Two logins of one action have met two different BMCs."""

    def __init__(self, bmc: str, guid: str, other_guid: str) -> None:
        super().__init__(
            f"the BMC at {bmc} is another one than before (system GUID {other_guid}, "
            f"not {guid}), so its node may be another one: check ip and fallback_ip, "
            "and that no address is given out twice"
        )


class TargetSilent(AgentError):
    """The BMC cannot hand a request over to the controller at another address."""

    def __init__(self, bmc: str, code: int) -> None:
        self.code = code
        super().__init__(
            f"the BMC at {bmc} cannot reach the controller named by target "
            f"(completion code 0x{code:02x} of Send Message): check the parameter "
            "target"
        )


class OffMayArrive(AgentError):
    """The BMC has not confirmed the end of a session that carried an off."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} did not confirm the end of the session that carried the "
            "power off, which could arrive after a power on: turn the node on by hand"
        )


class OldProtocol(Refused):
    """The BMC offers IPMI 1.5 only."""

    def __init__(self, bmc: str) -> None:
        super().__init__(
            f"the BMC at {bmc} offers IPMI 1.5 only, which this agent does not speak: "
            "enable IPMI 2.0 (RMCP+) on it, or use fence_ipmilan"
        )


class LoginRefused(Refused):
    """The BMC refused login with an RMCP+ status that has no sentence of its own."""

    def __init__(self, bmc: str, stage: str, status: int) -> None:
        super().__init__(
            f"the BMC at {bmc} refused to log in (status 0x{status:02x} in {stage}): "
            "look the status up in IPMI 2.0, table 13-15"
        )


class Busy(AgentError):
    """The BMC has no time now; later it may. Asking again can help."""

    def __init__(self, bmc: str, what: str) -> None:
        super().__init__(
            f"the BMC at {bmc} is busy ({what}): look for other programs that use it, "
            "or restart the BMC"
        )


class SessionsTaken(Busy):
    """All sessions of the BMC are in use."""

    def __init__(self, bmc: str) -> None:
        AgentError.__init__(
            self,
            f"the BMC at {bmc} is busy, all its sessions are taken: end those of other "
            "programs, ask it less often, or restart the BMC",
        )


class LoginUnanswered(Busy):
    """A BMC that is there leaves a message of login without an answer.

    Packets may be lost on the way, so that asking again can help.
    """

    def __init__(self, bmc: str, what: str, parameters: str) -> None:
        AgentError.__init__(
            self,
            f"the BMC at {bmc} is there, but does not answer {what}: check "
            f"{parameters}, which some BMCs ignore when they are wrong, and "
            "whether packets are lost",
        )


class NotInThisState(Busy):
    """The BMC refuses an order in the state that it or the node is in."""

    def __init__(self, bmc: str, what: str) -> None:
        AgentError.__init__(
            self,
            f"the BMC at {bmc} refuses {what} in its present state: look there for a "
            "locked power button, a power fault or an update that is under way",
        )


class CommandRefused(Refused):
    """A command came back with an IPMI completion code that is not zero."""

    def __init__(self, bmc: str, command: str, code: int) -> None:
        self.code = code
        super().__init__(
            f"the BMC at {bmc} refused {command} with completion code 0x{code:02x}: "
            "look at its event log"
        )


def refused_login(
    bmc: str, user: str, stage: str, status: int, wanted: str
) -> AgentError:
    """Name a status code of RMCP+ (IPMI 2.0, table 13-15).

    ``wanted`` is the privilege that the login was made with.
    """
    if status in (0x01, 0x0B):
        return SessionsTaken(bmc)
    if status in (0x09, 0x0A):
        return PrivilegeTooLow(bmc, user, wanted)
    if status == 0x0D:
        return WrongUser(bmc, user)
    if status == 0x0F:
        return WrongPassword(bmc, user)
    return LoginRefused(bmc, stage, status)
