"""Where a Redfish service is and how to log in to it. Made by ``main``."""

from __future__ import annotations

# How the service is reached.
VERIFIED, UNVERIFIED, PLAIN = "verified", "unverified", "plain"


class Access:
    """Address, credentials, and how far the service's certificate is trusted.

    ``security`` is VERIFIED, UNVERIFIED (any certificate is taken) or PLAIN (no TLS).
    ``ca_file`` holds the certificates to trust, "" takes the system's. ``root`` is the
    path of the service root, ``system`` that of the system to fence, "" to find it.
    """

    __slots__ = (
        "ca_file",
        "host",
        "password",
        "port",
        "root",
        "security",
        "system",
        "username",
    )

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        password: str,
        security: str = VERIFIED,
        ca_file: str = "",
        root: str = "/redfish/v1",
        system: str = "",
    ) -> None:
        self.host = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
        self.port = port
        self.username = username
        self.password = password
        self.security = security
        self.ca_file = ca_file
        self.root = root
        self.system = system

    @property
    def authority(self) -> str:
        """Return what stands for the service in an address; no scope, no usual port."""
        host = self.host.partition("%")[0].lower()
        host = f"[{host}]" if ":" in host else host
        usual = 80 if self.security == PLAIN else 443
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def label(self) -> str:
        """Return the service's name for sentences."""
        return f"{self.host} port {self.port}"
