"""Connection URIs: what they mean for this node, and the ones for a migration target.

Pure text. Source of the format: libvirt's "Connection URIs": driver[+transport]://
[user@][host][:port]/[path][?parameters].
"""

from __future__ import annotations

from vmha.agents.protocol.errors import BadParameter

DRIVERS = ("qemu", "lxc", "xen", "test", "openvz", "vbox", "esx", "gsx", "vpx", "ch")


def driver(uri: str) -> str:
    """Return the driver's name, "" for a text that is no libvirt URI."""
    scheme, separator, _ = uri.partition("://")
    name = scheme.partition("+")[0]
    return name if separator and name in DRIVERS else ""


def is_local(uri: str) -> bool:
    """Tell whether the guests of this URI live on this node."""
    return bool(driver(uri)) and _authority(uri) == ""


def is_session(uri: str) -> bool:
    """Tell whether its libvirt is one of a user's session, not the system's."""
    return _path(uri) == "session"


def control(
    uri: str, node: str, transport: str, suffix: str, override: str, user: str = ""
) -> str:
    """Return the URI under which a migration target's daemon is reached.

    ``override`` (remoteuri) wins, with %n for the node's name. Else the driver and path
    of the local ``uri``, with ``transport`` ("" is libvirt's default, TLS).
    """
    if override:
        return _filled(override, node)
    path = _path(uri)
    scheme = driver(uri) + (f"+{transport}" if transport else "")
    login = f"{user}@" if user else ""
    return f"{scheme}://{login}{_host(with_suffix(node, suffix))}/{path}"


def data(uri: str, node: str, suffix: str, override: str, port: int = 0) -> str:
    """Return the URI for the memory's own path, "" to leave it to the target.

    ``override`` (migrateuri) wins, with %n for the node's name including the suffix.
    Without a port the target picks a free one, so that parallel migrations never meet.
    """
    host = with_suffix(node, suffix)
    if override:
        return _filled(override, host)
    if not suffix and not port:
        return ""
    place = _host(host) + (f":{port}" if port else "")
    return place if driver(uri) == "xen" else f"tcp://{place}"


def unattended(uri: str) -> str:
    """Keep ssh from asking anybody for a password: no_tty=1, unless it is given.

    Source: libvirt's "Connection URIs", extra parameters of the ssh transport.
    """
    address, _, query = uri.partition("?")
    names = [pair.partition("=")[0] for pair in query.split("&")]
    if address.partition("://")[0].partition("+")[2] != "ssh" or "no_tty" in names:
        return uri
    return f"{address}?{query}&no_tty=1" if query else f"{address}?no_tty=1"


def with_suffix(node: str, suffix: str) -> str:
    """Append a network suffix to the first label: node1.site → node1-mig.site.

    Raises BadParameter where the node's name is an address, which has no labels.
    """
    if suffix and _is_address(node):
        accepted = f"{node} is an address; give remoteuri and migrateuri instead"
        raise BadParameter("migration_network_suffix", suffix, accepted)
    label, dot, rest = node.partition(".")
    return label + suffix + dot + rest


def _filled(template: str, host: str) -> str:
    """Put a host for %n, an IPv6 address in brackets unless the template has them."""
    return template.replace("[%n]", _host(host)).replace("%n", _host(host))


def _is_address(name: str) -> bool:
    return ":" in name or (name.count(".") == 3 and name.replace(".", "").isdigit())


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _authority(uri: str) -> str:
    return uri.partition("://")[2].partition("/")[0]


def _path(uri: str) -> str:
    return uri.partition("://")[2].partition("/")[2].partition("?")[0]
