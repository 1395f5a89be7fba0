"""What a change would do, where crm_simulate is not asked about all of it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from clusters.commanded import Vmha
from clusters.examples import THREE, deadline, empty, live

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.command.main import run
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.pacemaker import confirmation, forecast, margin, simulate
from vmha.heartbeat.pacemaker.proposal import propose
from vmha.heartbeat.pacemaker.state import rewritten

# Who waits for it waits for a clone that does not run on each node: not reckoned with.
CLONE = (
    '<clone id="fs"><primitive id="fs0" class="ocf" provider="pacemaker" type="Dummy"/>'
    '<meta_attributes id="fs-m"><nvpair id="fs-m1" name="clone-max" value="1"/>'
    "</meta_attributes></clone>"
)


@pytest.fixture
def vmha(tmp_path: Path) -> Vmha:
    if shutil.which("crm_simulate") is None:
        pytest.skip("needs crm_simulate")
    return Vmha(tmp_path)


def _wait_for_clone(vmha: Vmha) -> None:
    vmha.edit("web2, priority: 7", "web2, after: [fs], priority: 7")


def _cluster_with_a_clone(vmha: Vmha) -> None:
    vmha.cib.write_text(empty(3, CLONE), encoding="utf-8")
    assert vmha.on_file("apply", "--yes") == 0, vmha.said


def _places(outcome: simulate.Outcome) -> dict[str, str]:
    return {name: at for name, at in outcome.after.items() if not name.startswith("fs")}


@pytest.mark.usefixtures("vmha")
def test_what_is_decided_is_what_is_played_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And in the CIB that vmha then writes, Pacemaker has nothing left to do."""
    wanted = propose(live(), parse(THREE, "vmha.yaml"), deadline()).after
    played = forecast.forecast(wanted, deadline())
    monkeypatch.setattr(forecast, "MOST_PROBES", 0)
    decided = forecast.forecast(wanted, deadline())
    assert (played.is_played, decided.is_played) == (True, False)
    assert "web1" in played.outcome.after
    assert _places(decided.outcome) == _places(played.outcome)
    starts = [a for a in played.outcome.actions if a.kind == "start"]
    assert sorted(decided.outcome.actions) == sorted(starts)
    again = simulate.simulate(decided.cib, deadline())
    assert _places(again) == _places(played.outcome)
    assert again.actions == ()


def test_a_guest_that_is_moved_and_one_that_is_removed_are_decided_alike(
    vmha: Vmha, monkeypatch: pytest.MonkeyPatch
) -> None:
    vmha.on_file("apply", "--yes")
    running = forecast.forecast(vmha.configured(), deadline()).cib
    vmha.edit("prefer: [n1, n2]", "prefer: [n3]")
    vmha.edit("  web3: {config: /srv/web3.xml, cpu: 1", "  web4: {domain: w, cpu: 1")
    vmha.edit("{avoid: [web3]", "{avoid: [web4]")
    file = parse(vmha.file.read_text("utf-8"), "vmha.yaml")
    changed = propose(running, file, deadline(), remove=True)
    played = forecast.forecast(changed.after, deadline())
    monkeypatch.setattr(forecast, "MOST_PROBES", 0)
    decided = forecast.forecast(changed.after, deadline())
    assert _places(decided.outcome) == _places(played.outcome)
    assert "web3" not in decided.outcome.after
    assert "web4" in decided.outcome.after
    assert simulate.current(decided.cib, deadline()) == decided.outcome.after


def test_a_node_that_is_about_to_be_fenced_is_gone_afterwards_in_both(
    vmha: Vmha, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its Pacemaker has died: Corosync still has it as a member, and it is unclean."""
    vmha.on_file("apply", "--yes")
    running = forecast.forecast(vmha.configured(), deadline()).cib
    (lost,) = running.findall("status/node_state[@uname='n1']")
    lost.set("crmd", "offline")
    played = forecast.forecast(running, deadline())
    monkeypatch.setattr(forecast, "MOST_PROBES", -1)
    decided = forecast.forecast(running, deadline())
    assert (played.is_played, decided.is_played) == (True, False)
    assert decided.outcome.gone == played.outcome.gone == ("n1",)
    assert _places(decided.outcome) == _places(played.outcome)
    found = [simulate.present(one.cib, deadline()) for one in (played, decided)]
    assert found[0].gone == found[1].gone == ("n1",)


def test_a_change_that_was_not_played_through_says_so(
    vmha: Vmha, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "MOST_PROBES", 0)
    assert vmha.on_file("diff") == 1
    assert "start web1 on n" in vmha.said
    assert f"Not certain:\n  {forecast.UNPLAYED}" in vmha.said
    assert vmha.on_file("diff", "--json") == 1
    assert json.loads(vmha.said)["warnings"] == [forecast.UNPLAYED]


class Terminal(io.StringIO):
    """A terminal that keeps all that was shown on it."""

    def isatty(self) -> bool:
        return True


def test_who_waits_is_told_what_for(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    vmha.edit("web2, priority: 7", "web2, priority: 8")
    for words in (["diff", str(vmha.file)], ["check"]):
        shown = Terminal()
        run([*words, "--cib", str(vmha.cib)], Streams(io.StringIO(), shown, {}))
        assert "asking crm_simulate about failures: 0 of 3" in shown.getvalue()


def test_a_margin_that_nobody_confirms_is_refused_where_there_is_a_new_doubt(
    vmha: Vmha, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cluster_with_a_clone(vmha)
    monkeypatch.setattr(confirmation, "MOST_GUESTS", 1)
    before = vmha.cib.read_bytes()
    _wait_for_clone(vmha)
    assert vmha.on_file("apply", "--yes") == 1
    assert "refused: it is not certain that the cluster would survive 1" in vmha.said
    assert "web2 waits for fs" in vmha.said
    assert vmha.cib.read_bytes() == before
    assert vmha.on_file("diff", "--json") == 1
    assert "it is not certain" in json.loads(vmha.said)["against"][0]
    assert vmha.on_file("apply", "--yes", "--force") == 0


def test_a_cluster_whose_margin_nobody_confirmed_before_is_configured_with_a_warning(
    vmha: Vmha, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cluster_with_a_clone(vmha)
    monkeypatch.setattr(confirmation, "MOST_GUESTS", 1)
    _wait_for_clone(vmha)
    assert vmha.on_file("apply", "--yes", "--force") == 0
    vmha.edit("priority: 7", "priority: 8")
    assert vmha.on_file("diff", "--json") == 1
    (warning,) = json.loads(vmha.said)["warnings"]
    assert "and neither is it now" in warning
    assert vmha.on_file("apply", "--yes") == 0, vmha.said
    assert "Not certain:\n  it is not certain" in vmha.said


def test_a_doubt_that_pacemaker_dispels_is_no_doubt(vmha: Vmha) -> None:
    _cluster_with_a_clone(vmha)
    _wait_for_clone(vmha)
    assert vmha.on_file("diff") == 1
    assert "it is not certain" not in vmha.said


def test_failures_that_were_not_asked_about_in_time_are_said(
    vmha: Vmha, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(margin, "PATIENCE_S", 0.0)
    assert vmha.on_file("apply", "--yes") == 0, vmha.said
    assert "crm_simulate has confirmed only 0 of 3 failures" in vmha.said


def test_a_status_that_is_rewritten_keeps_what_it_does_not_speak_of(
    vmha: Vmha,
) -> None:
    vmha.on_file("apply", "--yes")
    running = forecast.forecast(vmha.configured(), deadline()).cib
    moved = rewritten(running, {"web3": "n3", "web2": None})
    there = simulate.current(running, deadline())
    expected = {**there, "web3": "n3"}
    del expected["web2"]
    assert simulate.current(moved, deadline()) == expected
