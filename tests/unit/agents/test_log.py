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
