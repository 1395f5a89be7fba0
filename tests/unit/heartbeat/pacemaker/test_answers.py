"""What Pacemaker's tools say when they decline, in one line and not in XML."""

from __future__ import annotations

import pytest

from vmha.agents.protocol.process import Result
from vmha.heartbeat.pacemaker.answers import said

XML = """\
<pacemaker-result api-version="2.25" request="crm_mon">
  <status code="102" message="Not connected">
    <errors><error>crm_mon: Connection to cluster failed:
    Connection refused</error></errors>
  </status>
</pacemaker-result>"""


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (
            Result(102, XML, ""),
            "Not connected; crm_mon: Connection to cluster failed: Connection refused",
        ),
        (
            Result(102, XML, "x.xml:5: element a: validity error : no fs\n" * 2),
            "Not connected; crm_mon: Connection to cluster failed: Connection refused: "
            "no fs",
        ),
        (Result(1, "", "x: validity error : b\n"), "x: validity error : b"),
        (Result(1, "<a/>\n", "no such\n<b/>\nfile\n"), "no such; file"),
        (Result(1, "only this", ""), "only this"),
        (Result(7, "<x>", ""), "it ended with 7"),
        (Result(1, "<pacemaker-result><broken></pacemaker-result>", "so"), "so"),
    ],
)
def test_the_reason_is_told_and_never_xml(result: Result, told: str) -> None:
    assert said(result) == told


def test_a_long_answer_is_cut() -> None:
    assert len(said(Result(1, "", "x" * 5000))) < 400
