"""What a Redfish service says, read with care."""

from __future__ import annotations

import pytest
from unit.fence.devices import Clock
from unit.fence.redfish_service import (
    Service,
)

from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.access import PLAIN, Access
from vmha.fence.redfish.channel import Answer
from vmha.fence.redfish.client import message_of, path_in, path_of, retry_after_s


def test_addresses_of_the_service_are_followed_and_no_others() -> None:
    client = Service(Clock()).bmc()._client
    assert client.own_path("/redfish/v1/") == "/redfish/v1/"
    assert client.own_path("https://BMC.example/a") == "/a"
    assert client.own_path("https://bmc.example:443/a#b") == "/a"
    for other in (
        "http://bmc.example/a",
        "https://a.example/a",
        "https://bmc.example:8443/a",
        "//a/a",
    ):
        assert client.own_path(other) == ""
    assert path_in("https://other.example/redfish/v1") == "/redfish/v1"
    assert path_in("//a/a") == path_in("a b") == ""


@pytest.mark.parametrize(
    "link", [None, "x", {}, {"@odata.id": 7}, {"@odata.id": "a"}, {"@odata.id": "/ü"}]
)
def test_a_link_that_cannot_be_followed_is_none(link: object) -> None:
    assert path_of({"it": link}, "it") == ""


@pytest.mark.parametrize(
    ("host", "port", "security", "shown"),
    [
        ("bmc", 443, "verified", "bmc"),
        ("bmc", 443, PLAIN, "bmc:443"),
        ("[fe80::1%eth0]", 8443, "verified", "[fe80::1]:8443"),
    ],
)
def test_an_address_is_written_as_http_wants_it(
    host: str, port: int, security: str, shown: str
) -> None:
    assert Access(host, port, "u", "p", security).authority == shown


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"error": 7}', ""),
        (b'{"error": {"code": "Base.1.0.GeneralError"}}', "Base.1.0.GeneralError"),
        (b'{"error": {"@Message.ExtendedInfo": [{"MessageId": "A.B"}]}}', "A.B"),
        (b'{"error": {"@Message.ExtendedInfo": []}}', ""),
    ],
)
def test_what_a_service_says_to_an_error_is_read_with_care(
    body: bytes, message: str
) -> None:
    assert message_of(Answer(400, {}, body)) == message


def test_a_wait_that_the_service_asks_for_is_read_in_seconds_only() -> None:
    given = {"5": 5.0, "-1": 0.0, "Wed, 21 Oct": 0.0, "999999": 0.0, "": 0.0}
    for text, seconds in given.items():
        assert retry_after_s(Answer(503, {"retry-after": text}, b"")) == seconds


def test_words_of_a_service_cannot_mislead_the_fencer() -> None:
    assert diagnoses.harmless("Base.1.0.OperationTimeout") == ""
    assert diagnoses.harmless("\x1b[31m") == ""
    assert diagnoses.harmless("x" * 5000) == "x" * 100
