"""What users and Pacemaker write, and what the agent understands."""

from __future__ import annotations

import pytest

from vmha.agents.protocol.errors import AgentError, BadParameter
from vmha.agents.protocol.parameters import Parameter
from vmha.fence.ipmi.main import SUITES, address, check, hosts_of
from vmha.fence.ipmi.parameters import PARAMETERS
from vmha.fence.protocol import options
from vmha.fence.protocol.budget import Budget
from vmha.fence.protocol.options import Options
from vmha.fence.protocol.secret import wants_shell

GIVEN = {
    "debug_file": "/var/log/fence",
    "fencing_timeout": "90",
    "hosts": "a=10.0.0.1 b=10.0.0.2",
    "password_file": "/etc/secret",
    "target": "0x82",
}


def typed(*arguments: str) -> Options:
    return options.from_arguments(PARAMETERS, arguments)


def lines(text: str) -> Options:
    return options.from_stdin(PARAMETERS, text)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_every_spelling_of_a_parameter_is_the_same(parameter: Parameter) -> None:
    name, aliases, option = parameter.name, parameter.aliases, parameter.option
    given = GIVEN.get(name, parameter.choices[-1] if parameter.choices else "1")
    for spelling in (name, *aliases, name.replace("_", "-")):
        values = lines(f"{spelling}={given}\n").values
        assert values.text(name) == given
    for word in option.split(", "):
        flag, equals, _ = word.partition("=")
        arguments = [flag, given] if "=" in option else [flag]
        if flag.startswith("--"):
            assert bool(equals) == ("=" in option)
        assert typed(*arguments).values.text(name) == given


def test_no_two_parameters_share_a_name_or_an_option() -> None:
    names = [name for p in PARAMETERS for name in (p.name, *p.aliases)]
    flags = [w.partition("=")[0] for p in PARAMETERS for w in p.option.split(", ")]
    assert len(set(names)) == len(names)
    assert len(set(flags)) == len(flags)


def test_the_last_value_counts_and_noise_is_passed_over() -> None:
    wishes = lines(
        "# a comment\n\n  ip = 10.0.0.1\nip=10.0.0.2\nnodename=a\nfoo=1\npassword=a=b\n"
    )
    assert wishes.values.text("ip") == "10.0.0.2"
    assert wishes.values.text("password") == "a=b"
    assert wishes.unknown == ("foo",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"quoted"', "quoted"),
        ("'kept'", "'kept'"),
        ('"', '"'),
        ('""', ""),
        ("a b", "a b"),
    ],
)
def test_double_quotes_around_a_value_are_removed(written: str, meant: str) -> None:
    assert lines(f"password={written}\n").values.text("password") == meant


def test_action_has_a_default_and_no_case() -> None:
    assert lines("").action == "reboot"
    assert lines("action=OFF\n").action == "off"
    assert lines("action=meta-data\n").action == "metadata"
    assert typed("-o", "Monitor").action == "monitor"


def test_a_word_that_is_no_option_is_refused() -> None:
    # With "reboot" as default action, "fence_vmha_ipmi status" must not power off.
    with pytest.raises(options.BadUsage, match="'status' is no option"):
        typed("status", "-a", "10.0.0.1")
    with pytest.raises(options.BadUsage, match="help"):
        typed("--no-such-thing")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ip is missing"),
        ("port_as_ip=1", "plug"),
        ("port_as_ip=1\nplug=a,b", "one BMC"),
        ("hosts=a=10.0.0.1\nip=b", "in hosts"),
        ("hosts=a=10.0.0.1\nfallback_ip=b", "in hosts"),
        ("port_as_ip=1\nplug=a\nfallback_ip=b", "another BMC"),
        ("ip=a\nusername=abcdefghijklmnopq", "16 bytes"),
        ("ip=a\nhexadecimal_kg=xyz", "hexadecimal_kg"),
        ("ip=a\nhexadecimal_kg=" + 21 * "ab", "40 hexadecimal digits"),
        ("ip=a\npassword=" + 21 * "x", "20 bytes"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(text: str, words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        check(lines(text).values)


@pytest.mark.parametrize("secret", ["password", "hexadecimal_kg"])
def test_a_refused_secret_is_not_shown(secret: str) -> None:
    value = 21 * "Qz"
    with pytest.raises(AgentError) as caught:
        check(lines(f"ip=a\n{secret}={value}").values)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "ipport=99999",
        "ipport=0",
        "ipport=abc",
        "power_timeout=-1",
        "login_timeout=0",
        "delay=1.5",
        "cipher=1",
        "privlvl=root",
        "port_as_ip=perhaps",
        "fencing_timeout=9",
        "softoff_detect=-1",
        "method=off",
        "target=0x21",
        "target=0x100",
        "target=here",
        "hosts=node1",
        "hosts=node1=",
        "hosts==10.0.0.1",
        "hosts=a=10.0.0.1 a=10.0.0.2",
        "hosts=a=b=c",
        "password_file=secret",
        "disable_timeout=maybe",
        "hosts=a=10.0.0.1 A=10.0.0.2",
    ],
)
def test_bad_values_are_problems(text: str) -> None:
    name = text.partition("=")[0]
    assert [p.name for p in lines(f"ip=a\n{text}").values.problems()] == [name]


def test_the_address_comes_from_plug_only_with_port_as_ip() -> None:
    assert address(lines("ip=a\nplug=b").values) == "a"
    assert address(lines("ip=a\nplug=b\nport_as_ip=1").values) == "b"
    assert address(lines("ip=a\nport=b\nport_as_ip=yes").values) == "b"


def test_every_cipher_has_its_suites() -> None:
    (cipher,) = [p for p in PARAMETERS if p.name == "cipher"]
    assert set(cipher.choices) == set(SUITES)
    assert SUITES["auto"] == (17, 3)


@pytest.mark.parametrize(
    ("action", "text", "under_fencer", "total_s", "power_s"),
    [
        ("off", "", True, 35.5, 35.5),
        ("reboot", "power_timeout=100", True, 35.5, 35.5),
        ("off", "power_timeout=10\ndisable_timeout=0", True, 35.5, 10.0),
        ("monitor", "", True, 12.0, 35.5),
        ("status", "fencing_timeout=10", True, 5.5, 5.5),
        ("off", "fencing_timeout=10", True, 5.5, 5.5),
        ("diag", "fencing_timeout=100", True, 59.5, 59.5),
        ("off", "", False, 0 + 5 + 20 + 1.5, 20.0),
        ("off", "delay=7\npower_timeout=3", False, 7 + 5 + 3 + 1.5, 3.0),
        ("reboot", "", False, 0 + 5 + 20 + 5 + 1.5, 20.0),
        ("off", "disable_timeout=true", False, 0 + 5 + 35.5 + 1.5, 35.5),
        ("off", "power_timeout=0", False, 0 + 5 + 35.5 + 1.5, 35.5),
        ("status", "delay=100", False, 5 + 3 + 1.5, 20.0),
    ],
)
def test_the_budget(
    action: str, text: str, under_fencer: bool, total_s: float, power_s: float
) -> None:
    budget = Budget(action, lines(text).values, under_fencer)
    assert (budget.total_s, budget.power_s) == (total_s, power_s)


def test_a_delay_that_leaves_no_time_is_refused_by_monitor_and_cut_by_off() -> None:
    values = lines("delay=30").values
    for action in ("monitor", "validate-all"):
        for under_fencer in (True, False):
            with pytest.raises(BadParameter, match="pcmk_delay_base"):
                Budget(action, values, under_fencer)
    cut = Budget("off", values, under_fencer=True)
    assert cut.delay_s == 20
    assert "20 s are waited" in cut.shortened
    by_hand = Budget("off", values, under_fencer=False)
    assert (by_hand.delay_s, by_hand.shortened) == (30, "")


@pytest.mark.parametrize(
    ("fencing_s", "most_s"), [(120, 40), (60, 20), (30, 10), (20, 5), (10, 0)]
)
def test_a_delay_may_take_a_third_of_the_time_and_leaves_enough_to_fence(
    fencing_s: int, most_s: int
) -> None:
    time = f"fencing_timeout={fencing_s}\n"
    fine = Budget("off", lines(f"{time}delay={most_s}").values, under_fencer=True)
    assert (fine.delay_s, fine.shortened) == (most_s, "")
    cut = Budget("off", lines(f"{time}delay={most_s + 1}").values, under_fencer=True)
    assert cut.delay_s == most_s


def test_a_second_path_has_time_for_its_own_login() -> None:
    one = Budget("monitor", lines("").values, under_fencer=False)
    two = Budget("monitor", lines("").values, under_fencer=False, paths=2)
    assert two.total_s - one.total_s == 5
    assert Budget("monitor", lines("").values, True, paths=2).total_s == 12


@pytest.mark.parametrize(
    "text", ["a=10.0.0.1 b=fd00::2", "a=10.0.0.1,b=fd00::2", " a=10.0.0.1; b=fd00::2 "]
)
def test_the_address_comes_from_the_map_of_hosts(text: str) -> None:
    values = lines(f"hosts={text}\nplug=b").values
    check(values)
    assert hosts_of(values) == {"a": "10.0.0.1", "b": "fd00::2"}
    assert address(values) == "fd00::2"
    assert address(values.having("plug", "B")) == "fd00::2"
    with pytest.raises(BadParameter, match="hosts has a, b"):
        address(values.having("plug", "c"))
    with pytest.raises(BadParameter, match="which of the hosts"):
        address(lines(f"hosts={text}").values)


@pytest.mark.parametrize(
    "script",
    [
        "cat /etc/x | head",
        "cat /etc/x|head",
        "cat </etc/x",
        "a; b",
        "a && b",
        "echo $SECRET",
        'echo "$SECRET"',
        "echo `cat x`",
        "cat /etc/pass*",
        "cat ~/secret",
        "~/tell",
        "(a)",
    ],
)
def test_a_password_script_that_wants_a_shell_is_refused(script: str) -> None:
    assert wants_shell(script)


@pytest.mark.parametrize(
    "script",
    [
        "/usr/bin/cat /etc/pacemaker/bmc-node1",
        "/bin/sh -c 'cat /etc/x | head -1; exit 0'",
        '"/usr/bin/tell me" "a;b|c" d~e',
        "echo a\\;b \\$x",
        "echo '$x `y` *'",
    ],
)
def test_a_password_script_that_a_shell_would_only_split_is_run(script: str) -> None:
    assert not wants_shell(script)
