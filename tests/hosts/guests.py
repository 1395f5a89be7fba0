"""Guests on a host: the lab's tiny guest, its definition file, its counter."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

from lab import guest as tiny
from lab.guest import Guest, Tick

from hosts.host import Host
from hosts.operation import Resource
from hosts.waiting import until

BOOTS_S = 40


def define(
    name: str, deaf: bool = False, append: str = "", dirty_mib: int = 0
) -> Guest:
    """Return a guest whose console goes to a file that each host has of its own."""
    serial = f"/run/serial/{name}.log"
    image = tiny.image()
    return Guest(name, image, serial, deaf=deaf, dirty_mib=dirty_mib, append=append)


def config_path(guest: Guest) -> str:
    """Return where the definition lies, on every host."""
    return f"/run/guests/{guest.name}.xml"


def put_config(host: Host, guest: Guest, xml: str = "") -> str:
    """Write the definition on a host and return its path inside."""
    path = config_path(guest)
    host.path(path).write_text(xml or guest.xml())
    return path


def resource(agent: Path, guest: Guest, **parameters: str) -> Resource:
    """Return the resource that runs a guest from its definition file."""
    return Resource(agent, guest.name, config=config_path(guest), **parameters)


def console(host: Host, guest: Guest) -> str:
    """Return all that the guest has said on this host."""
    file = host.path(guest.serial)
    return file.read_text(errors="replace") if file.exists() else ""


def ticks(host: Host, guest: Guest) -> list[Tick]:
    """Return the guest's counter as written on this host."""
    return list(tiny.ticks(console(host, guest)))


def await_tick(host: Host, guest: Guest) -> None:
    """Wait until the guest goes on counting on this host."""
    seen = len(ticks(host, guest))
    until(
        BOOTS_S,
        lambda: len(ticks(host, guest)) > seen,
        f"{guest.name} does not count on {host.name}",
    )


def end(host: Host, guest: Guest) -> None:
    """Take a guest away whatever state it is in, past libvirt."""
    for pid in host.emulators(guest.uuid):
        os.kill(pid, signal.SIGKILL)
    until(
        15,
        lambda: not host.emulators(guest.uuid),
        f"{guest.name} cannot be ended on {host.name}",
    )


def other_uuid(guest: Guest) -> str:
    """Return the definition of a guest with the same name and another UUID."""
    stranger = replace(guest, name=guest.name + "-stranger")
    return guest.xml().replace(guest.uuid, stranger.uuid)


def stranger_uuid(guest: Guest) -> str:
    """Return the UUID that ``other_uuid`` gives."""
    return replace(guest, name=guest.name + "-stranger").uuid
