"""libvirt's error numbers → absent, unreachable, refused, unsupported.

Source: virterror.h (VIR_ERR_*), read through ``libvirt.libvirtError.get_error_code``.
Only VIR_ERR_NO_DOMAIN means that a guest is not there; a lost connection, a denied
login or an internal error says nothing about the guest.
"""

from __future__ import annotations

import libvirt

from vmha.agents.protocol.errors import (
    AgentError,
    NotInstalled,
    PermissionRefused,
    Refused,
    Unreachable,
)

_LOST = (
    libvirt.VIR_ERR_NO_CONNECT,
    libvirt.VIR_ERR_INVALID_CONN,
    libvirt.VIR_ERR_RPC,
    libvirt.VIR_ERR_GNUTLS_ERROR,
    libvirt.VIR_ERR_UNKNOWN_HOST,
)
_DENIED = (
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
    libvirt.VIR_ERR_ACCESS_DENIED,
    libvirt.VIR_ERR_OPERATION_DENIED,
)


_NO_DRIVER = (libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_CONFIG_UNSUPPORTED)
# The driver has no such function, or none with these flags or parameters.
_UNSUPPORTED = (
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
)


class Absent(AgentError):
    """libvirt answered that there is no such domain, network or pool."""


class Unsupported(Refused):
    """This hypervisor's driver cannot do that at all; trying again is in vain."""


def translated(error: libvirt.libvirtError, what: str) -> AgentError:
    """Return vmha's error for one of libvirt's; ``what`` says what was tried."""
    code = error.get_error_code()
    message = " ".join(str(error.get_error_message() or error).split())
    sentence = f"{what}: libvirt says {message!r}"
    absent = (
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_NO_NETWORK,
        libvirt.VIR_ERR_NO_STORAGE_POOL,
    )
    if code in absent:
        return Absent(sentence)
    if code in _DENIED:
        return PermissionRefused(sentence)
    if code in _UNSUPPORTED:
        return Unsupported(sentence)
    if _is_transport(error):
        return Unreachable(sentence)
    return Refused(sentence)


def open_failure(error: libvirt.libvirtError, uri: str) -> AgentError:
    """Return vmha's error for a connection that could not be opened."""
    code = error.get_error_code()
    message = " ".join(str(error.get_error_message() or error).split())
    if code in _DENIED:
        return PermissionRefused(f"libvirt at {uri} refused the login: {message}")
    # A daemon that runs and has no such driver (its package is not installed) says
    # NO_CONNECT in nobody's name; one that cannot be reached is an error of the RPC.
    is_nobodys = error.get_error_domain() == libvirt.VIR_FROM_NONE
    if code in _NO_DRIVER or (code == libvirt.VIR_ERR_NO_CONNECT and is_nobodys):
        return NotInstalled(f"libvirt has no driver for {uri} here: {message}")
    return Unreachable(f"libvirt at {uri} cannot be reached: {message}")


def _is_transport(error: libvirt.libvirtError) -> bool:
    """Tell a lost connection from something that the daemon itself answered."""
    if error.get_error_code() in _LOST:
        return True
    return error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE)
