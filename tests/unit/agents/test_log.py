"""The log never holds an operation."""

from __future__ import annotations

import time

import pytest

from vmha.agents.protocol import log as logs


def test_a_log_daemon_that_hangs_is_waited_for_once_and_shortly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("syslog.syslog", lambda *_: time.sleep(2))
    log = logs.Log("test", {})
    began_s = time.monotonic()
    for _ in range(5):
        log.info("a sentence")
    assert time.monotonic() - began_s < 1.0


@pytest.mark.parametrize(
    ("environ", "is_told"),
    [
        ({}, False),
        ({"HA_debug": "0"}, False),
        ({"HA_debug": "1"}, True),
        ({"OCF_TRACE_RA": "1"}, True),
        ({"OCF_TRACE_RA": "no"}, False),
        ({"OCF_RESKEY_trace_ra": "1"}, True),
    ],
)
def test_what_only_a_developer_wants_is_told_when_a_trace_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], is_told: bool
) -> None:
    lines: list[str] = []
    monkeypatch.setattr("syslog.syslog", lambda _, line: lines.append(line))
    logs.Log("test", environ).debug("a sentence")
    assert lines == (["a sentence"] if is_told else [])
