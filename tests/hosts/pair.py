"""Two hosts with a cable between them."""

from __future__ import annotations

from pathlib import Path

from hosts.host import Host

NET = 97
HOSTS_FILE = f"""\
127.0.0.1 localhost
10.{NET}.0.1 alpha
10.{NET}.0.2 beta
10.{NET}.1.1 alpha-mig
10.{NET}.1.2 beta-mig
"""


class Pair:
    """alpha and beta."""

    def __init__(self, alpha: Host, beta: Host) -> None:
        self.alpha = alpha
        self.beta = beta

    def end(self) -> None:
        """End both."""
        self.alpha.end()
        self.beta.end()


def bring_up(folder: Path) -> Pair:
    """Bring both up, their daemons running."""
    alpha = Host("alpha", folder / "alpha", HOSTS_FILE)
    beta = Host("beta", folder / "beta", HOSTS_FILE)
    alpha.link_to(beta, NET)
    alpha.start_libvirtd()
    beta.start_libvirtd()
    return Pair(alpha, beta)
