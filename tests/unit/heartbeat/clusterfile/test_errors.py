"""Everything that can be wrong with a cluster file is told with its line and path."""

from __future__ import annotations

import time

import pytest
from unit.heartbeat.clusterfile.mistakes import ADDITIONS, NODE_ADDITIONS, WHOLE
from unit.heartbeat.clusterfile.texts import ADDED, BASE, NODE_ADDED, NODES

from vmha.heartbeat.clusterfile import reading
from vmha.heartbeat.clusterfile.errors import BadClusterFile, Problem


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(BadClusterFile) as caught:
        reading.parse(text, "vmha.yaml")
    return caught.value.problems


def expect(text: str, line: int, path: str, fragment: str) -> None:
    found = problems(text)
    fitting = [p for p in found if p.path == path and fragment in p.message]
    assert [p.line for p in fitting] == [line], found


@pytest.mark.parametrize(("added", "offset", "path", "fragment"), ADDITIONS)
def test_an_error_is_told_with_its_line_and_path(
    added: str, offset: int, path: str, fragment: str
) -> None:
    expect(f"{BASE}{added}\n", ADDED + offset, path, fragment)


@pytest.mark.parametrize(("added", "offset", "path", "fragment"), NODE_ADDITIONS)
def test_an_error_of_a_node_is_told_with_its_line_and_path(
    added: str, offset: int, path: str, fragment: str
) -> None:
    expect(f"{NODES}{added}\n", NODE_ADDED + offset, path, fragment)


@pytest.mark.parametrize(("text", "line", "path", "fragment"), WHOLE)
def test_a_text_that_is_no_cluster_file_is_told_so(
    text: str, line: int, path: str, fragment: str
) -> None:
    expect(text, line, path, fragment)


@pytest.mark.parametrize("text", [BASE, NODES + "policy: {tolerate: 0}\n"])
def test_what_the_errors_are_added_to_is_sound(text: str) -> None:
    assert reading.parse(text, "vmha.yaml").warnings == ()


@pytest.mark.parametrize("added", [row[0] for row in ADDITIONS])
def test_one_mistake_is_one_error(added: str) -> None:
    found = problems(f"{BASE}{added}\n")
    assert len(found) == 1, found


def test_every_error_is_told_at_once_and_in_the_order_of_lines() -> None:
    several = ADDITIONS[:2] + ADDITIONS[5:7]
    lines = [
        row[0].replace("  d:", f"  d{number}:") for number, row in enumerate(several)
    ]
    rest = [
        "policy: {tolerate: -1}",
        "rules:",
        "  - {spread: [a, zz]}",
        "  - {pin: [b]}",
    ]
    found = problems(BASE + "\n".join([*lines, *rest]) + "\n")
    expected = [ADDED + at for at in (0, 1, 2, 3, 4, 6, 7)]
    assert [problem.line for problem in found] == expected


SECRETS = [
    "{agent: fence_x, password: hunter2}",
    "{agent: fence_x, passwd: hunter2}",
    "{agent: fence_x, options: {password: hunter2}}",
    "{agent: fence_x, options: {snmp_priv_passwd: hunter2}}",
    "{agent: fence_x, options: {community: hunter2}}",
    "{agent: fence_x, options: {private_key: hunter2}}",
    "{agent: fence_x, options: {access_key: hunter2}}",
    "{agent: fence_x, options: {authorization: hunter2}}",
    "{agent: fence_x, options: {cookie: hunter2}}",
    "{agent: fence_x, options: {credentials: hunter2}}",
    "{agent: fence_x, options: {pin: hunter2}}",
    "{agent: fence_x, options: {password: 5}}",
    "{agent: fence_x, options: {password: [hunter2]}}",
    "{agent: fence_x, ip: 'ssh://root:hunter2@bmc'}",
]


@pytest.mark.parametrize("device", SECRETS)
def test_a_secret_is_refused_with_where_it_belongs_and_never_shown(device: str) -> None:
    node = "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n    fencing:\n"
    (problem,) = problems(f"{NODES}{node}      - - {device}\n")
    assert problem.line == NODE_ADDED + 3
    assert "password_file" in problem.message
    assert "cib_secret: true" in problem.message
    assert "hunter2" not in str(problem)


def test_a_password_file_and_a_script_are_no_secrets() -> None:
    device = (
        "{agent: fence_vmha_x, password_file: /etc/x, "
        "options: {password_script: /bin/x, login_timeout: 5, key: main, "
        "private_key_file: /etc/k}}"
    )
    node = "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n    fencing:\n"
    file = reading.parse(f"{NODES}{node}      - - {device}\n", "vmha.yaml")
    options = file.nodes[1].fencing[0][0].options
    assert options == {
        "key": "main",
        "private_key_file": "/etc/k",
        "login_timeout": "5",
        "password_file": "/etc/x",
        "password_script": "/bin/x",
    }


@pytest.mark.parametrize(
    "command",
    [
        "echo hunter2",
        "/bin/echo /hunter2",
        "/usr/bin/printf hunter2",
        "/usr/bin/env P=hunter2 /usr/local/sbin/tell",
        "/bin/sh -c 'echo hunter2'",
        "/usr/bin/python3 -c 'print(1)#hunter2'",
        "/usr/local/sbin/tell hunter2",
        "/usr/local/sbin/tell;echo hunter2",
        "tell-hunter2",
        "",
        "12345678",
    ],
)
@pytest.mark.parametrize("key", ["password_script", "snmp_priv_passwd_script"])
def test_a_command_that_may_hold_the_secret_is_refused_and_never_shown(
    key: str, command: str
) -> None:
    shown = command if command.isdigit() else f'"{command}"'
    device = f"{{agent: fence_x, options: {{{key}: {shown}}}}}"
    node = "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n    fencing:\n"
    (problem,) = problems(f"{NODES}{node}      - - {device}\n")
    assert problem.path == f"nodes.n2.fencing[0][0].options.{key}"
    assert "the absolute path of a program" in problem.message
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "command", ["/usr/local/sbin/bmc-password", "/bin/cat /etc/vmha/bmc.secret"]
)
def test_a_program_that_is_given_paths_only_holds_no_secret(command: str) -> None:
    device = f"{{agent: fence_x, options: {{password_script: {command}}}}}"
    node = "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n    fencing:\n"
    file = reading.parse(f"{NODES}{node}      - - {device}\n", "vmha.yaml")
    assert file.nodes[1].fencing[0][0].options == {"password_script": command}


def test_aliases_that_multiply_are_refused_in_seconds() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    started = time.monotonic()
    (problem,) = problems("\n".join(lines))
    assert "aliases" in problem.message
    assert time.monotonic() - started < 20


def test_ten_thousand_wrong_guests_are_ten_thousand_errors() -> None:
    guests = "".join(
        f"  g{n}: {{cpu: 1, memory_mib: 1, class: golden{n}}}\n" for n in range(10_000)
    )
    started = time.monotonic()
    found = problems(BASE + guests)
    assert len(found) == 10_000
    assert time.monotonic() - started < 20
