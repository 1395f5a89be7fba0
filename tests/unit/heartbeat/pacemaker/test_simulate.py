"""crm_simulate's answer is read whole; one that lacks its result is none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused
from vmha.heartbeat.pacemaker import simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATUS = (
    "<cluster_status><nodes><node name='n1' online='{n1}' type='member'/>"
    "<node name='n2' online='true' type='member'/></nodes><resources>"
    "<resource id='g' role='Started'><node name='{at}'/></resource></resources>"
    "</cluster_status>"
)
BEFORE = STATUS.format(n1="true", at="n1")
AFTER = STATUS.format(n1="false", at="n2")
# What Pacemaker 3.0.0 prints for --simulate --node-fail, and nothing more.
CUT_OFF = BEFORE + "<modifications/><modify_node action='Failing' node='n1'/>"


def answer(text: str) -> process.Result:
    return process.Result(0, f"<pacemaker-result>{text}</pacemaker-result>", "")


def test_a_result_that_is_left_out_is_read_from_the_cib_that_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after = "<cib written='true'/>"

    def run(
        argv: Sequence[str], deadline: Deadline, environ: Mapping[str, str]
    ) -> process.Result:
        target = [w.partition("=")[2] for w in argv if w.startswith("--save-output=")]
        for path in target:
            Path(path).write_text(after, encoding="utf-8")
        if "--simulate" in argv:
            return answer(CUT_OFF)
        is_after = "written" in Path(argv[2]).read_text(encoding="utf-8")
        return answer(AFTER if is_after else BEFORE)

    monkeypatch.setattr(process, "run", run)
    found = simulate.simulate(etree.Element("cib"), Deadline(5.0), ["n1"])
    assert (found.before, found.after) == ({"g": "n1"}, {"g": "n2"})
    assert found.gone == ("n1",)


def test_an_answer_without_a_result_is_refused() -> None:
    with pytest.raises(Refused, match="no result"):
        simulate.outcome(f"<pacemaker-result>{CUT_OFF}</pacemaker-result>")
