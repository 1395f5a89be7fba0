"""The guest's counter and its definition."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from lab.guest import Guest, Image, Tick, guest_name, ticks

IMAGE = Image(Path("/k"), Path("/i"))


def test_ticks_are_read_and_a_torn_last_line_is_left() -> None:
    text = "noise\ntick 0a1b 1 1.80\r\ntick 0a1b 2 1.90\r\ntick 0a1b 3 2."
    assert list(ticks(text)) == [Tick("0a1b", 1, 1.8), Tick("0a1b", 2, 1.9)]


def test_a_guests_uuid_is_fixed_by_its_name() -> None:
    assert Guest("web1", IMAGE, "/s").uuid == Guest("web1", IMAGE, "/other").uuid
    assert Guest("web1", IMAGE, "/s").uuid != Guest("web2", IMAGE, "/s").uuid


def test_the_definition_carries_any_name_and_the_deaf_guests_argument() -> None:
    domain = ElementTree.fromstring(Guest("a<&>b", IMAGE, "/s'", deaf=True).xml())  # noqa: S314
    assert domain.findtext("name") == "a<&>b"
    assert "vmha.deaf" in str(domain.findtext("os/cmdline"))
    serial = domain.find("devices/serial/source")
    assert serial is not None
    assert serial.get("path") == "/s'"


def test_a_guest_that_keeps_writing_to_its_memory_is_told_how_much() -> None:
    told = Guest("a", IMAGE, "/s", dirty_mib=8).kernel_arguments.split()
    assert "vmha.dirty=8" in told
    assert "vmha.dirty" not in Guest("a", IMAGE, "/s").kernel_arguments


def test_a_guests_name_is_read_from_qemus_words() -> None:
    words = ["/usr/bin/qemu-system-x86_64", "-name", "guest=web1,debug-threads=on"]
    assert guest_name(words) == "web1"
    assert guest_name(["qemu-img", "create"]) == ""
