"""Checks of single values: each returns what would be accepted, "" for a good one."""

from __future__ import annotations

SHUTDOWN_MODES = ("acpi", "agent", "initctl", "signal", "paravirt")


def absolute_path(text: str) -> str:
    """Accept an absolute path."""
    return "" if text.startswith("/") else "give an absolute path"


def script_list(text: str) -> str:
    """Accept absolute paths, separated by spaces."""
    fine = all(script.startswith("/") for script in text.split())
    return "" if fine else "give absolute paths, separated by spaces"


def connection_uri(text: str) -> str:
    """Accept a URI with a driver that libvirt has."""
    from vmha.agents.hypervisor.uri import driver

    return "" if driver(text) else "give a libvirt URI such as qemu:///system"


def remote_uri(text: str) -> str:
    """Accept such a URI with %n in the place of a host name."""
    return connection_uri(text.replace("%n", "node"))


def shutdown_methods(text: str) -> str:
    """Accept a list of shutdown methods."""
    modes = text.replace(",", " ").split()
    if modes and all(mode in SHUTDOWN_MODES for mode in modes):
        return ""
    return "give one or more of " + ", ".join(SHUTDOWN_MODES)


def one_word(text: str) -> str:
    """Accept a text without spaces."""
    return "give it without spaces" if len(text.split()) != 1 else ""


def user_name(text: str) -> str:
    """Accept a name that can stand in a URI's authority."""
    fine = all(c.isalnum() or c in "._-" for c in text) and text.isascii()
    return "" if fine else "give a user name of letters, digits, '.', '_' and '-'"


def migrate_options(text: str) -> str:
    """Accept the options of virsh migrate that have a counterpart here."""
    from vmha.agents.vm import virsh_options

    unknown = virsh_options.parse(text).unknown
    if not unknown:
        return "" if text.strip() else "give options of virsh migrate, or nothing"
    return f"{', '.join(unknown)} is not; give some {virsh_options.accepted()}"
