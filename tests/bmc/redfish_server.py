"""A Redfish service that follows a ``Plan``, in threads of the test's own process.

It records every request, every order with its time, the sessions that are open, and the
true power of its node. Nothing of the agent is used here.
"""

from __future__ import annotations

import base64
import http.server
import json
import secrets
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

from bmc import redfish_plan as plan
from bmc.redfish_plan import OFF, ON, Mishap, Node, Plan

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any

    Document = Mapping[str, object]
    Told = tuple[int, Document] | tuple[int, Document, dict[str, str]]

USER, PASSWORD = "admin", "Redfish-Qz7-secret"
RESET = "#ComputerSystem.Reset"
ALLOWED = "ResetType@Redfish.AllowableValues"
DRIP_S = 0.5
GIVE_UP_S = 60.0


class RedfishServer:
    """The service: ``with RedfishServer(Plan()) as bmc: bmc.port ...``."""

    def __init__(
        self, script: Plan, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.plan = script
        self.node = Node()
        self.host = host
        self.requests: list[tuple[float, str, str]] = []
        self.orders: list[tuple[float, str]] = []
        self.sessions: dict[str, str] = {}  # by path, their tokens
        self.logins = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.tls = tls
        self.down_until = 0.0
        self.tasks: dict[str, float] = {}
        self._server = _Server(self, host)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> RedfishServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def mishap_of(self, kind: str) -> Mishap | None:
        """Return what goes wrong with a request of this kind, the first that does."""
        with self.lock:
            for mishap in self.plan.mishaps:
                if mishap.on not in (kind, plan.ANY):
                    continue
                if mishap.after_order and not self.orders:
                    continue
                if mishap.strikes():
                    return mishap
        return None

    def carry_out(self, reset_type: str, late_s: float = 0.0) -> None:
        """Do what an order asks for, in its time."""
        script = self.plan
        off_s = late_s + script.off_takes_s
        if reset_type in ("ForceOff", "ForceRestart", "PowerCycle"):
            if script.ignored_offs > 0:
                script.ignored_offs -= 1
                return
            self.node.change(OFF, off_s)
        if reset_type in ("ForceRestart", "PowerCycle"):
            self.node.change(ON, off_s + script.cycle_off_s)
        elif reset_type in ("On", "ForceOn"):
            self.node.change(ON, late_s + script.on_takes_s)

    def shown_power(self) -> object:
        """Return the PowerState of the next read."""
        with self.lock:
            if self.orders and self.plan.shown:
                first, *self.plan.shown = self.plan.shown
                if first is not ...:
                    return first
        if self.plan.always_shown is not ...:
            return self.plan.always_shown
        if self.plan.shows_between and self.node.goes_off():
            return "PoweringOff"
        return self.node.power()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, bmc: RedfishServer, host: str) -> None:
        self.bmc = bmc
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands and serve, in a thread of the connection's own."""
        request.settimeout(GIVE_UP_S)
        if time.monotonic() < self.bmc.down_until:
            _reset(request)
            return
        tls = self.bmc.tls
        with tls.wrap_socket(request, server_side=True) if tls else request as own:
            _Handler(own, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave what a client did to its connection alone."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *_: object) -> None:
        """Write nothing."""

    def setup(self) -> None:
        self.bmc = self.server.bmc
        super().setup()

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        self.order = ""
        length = int(self.headers.get("Content-Length") or 0)
        self.content = json.loads(self.rfile.read(length) or b"{}")
        path = self.path.rstrip("/")
        kind = _kind(method, path)
        with self.bmc.lock:
            self.bmc.requests.append((time.monotonic(), method, path))
        if kind == plan.RESET:
            self.order = str(self.content.get("ResetType"))
        mishap = self.bmc.mishap_of(kind)
        if kind == plan.RESET:
            with self.bmc.lock:
                self.bmc.orders.append((time.monotonic(), self.order))
        if mishap:
            self._go_wrong(mishap, method, path)
        else:
            self._answer(*self._healthy(method, path))

    def _go_wrong(self, mishap: Mishap, method: str, path: str) -> None:
        if mishap.done and self.order:
            self.bmc.carry_out(self.order, mishap.late_s)
        elif mishap.done:
            self._healthy(method, path)
        where = (
            f"https://other.example{path}" if mishap.kind == plan.AWAY else path + "/"
        )
        if mishap.kind == plan.SILENT:
            self.bmc.closing.wait(GIVE_UP_S)
            self.close_connection = True
        elif mishap.kind == plan.RESTART:
            self.bmc.down_until = time.monotonic() + mishap.down_s
            self.bmc.sessions.clear()
            self._reset_connection()
        elif mishap.kind == plan.FORGOTTEN:
            self.bmc.sessions.clear()
            self._answer(401, {})
        elif mishap.kind == plan.STATUS:
            body: dict[str, object] = {
                "error": {"@Message.ExtendedInfo": [{"MessageId": mishap.message}]}
            }
            self._answer(mishap.status, body, dict(mishap.headers))
        elif mishap.kind in (plan.AWAY, plan.SLASH):
            if mishap.kind == plan.SLASH and self.path.endswith("/"):
                self._answer(*self._healthy(method, path))
            else:
                self._answer(308, {}, {"Location": where})
        else:
            self._spoil(mishap.kind)

    def _spoil(self, kind: str) -> None:
        """Answer 200 with something that is no document."""
        if kind in (plan.NOT_JSON, plan.ARRAY):
            self._send(200, b"<html>PowerState Off" if kind == plan.NOT_JSON else b"[]")
            return
        self.send_response(200)
        self.send_header("Content-Length", "100000000")
        self.end_headers()
        while kind == plan.ENDLESS and not self.bmc.closing.is_set():
            self.wfile.write(b" " * 65536)
        self.wfile.write(b'{"PowerState": "Off", ')
        if kind == plan.CUT:
            self._reset_connection()
        while kind == plan.DRIP and not self.bmc.closing.wait(DRIP_S):
            self.wfile.write(b" ")

    def _reset_connection(self) -> None:
        self.close_connection = True
        _reset(self.request)

    def _healthy(self, method: str, path: str) -> Told:
        if method == "GET" and path == "/redfish/v1":
            return 200, _root(self.bmc.plan)
        if method == "POST" and path == SESSIONS:
            return self._log_in()
        if not self._is_known():
            return 401, {}
        if method == "DELETE":
            found = self.bmc.sessions.pop(path, None)
            return (204 if found else 404), {}
        if method == "POST":
            return self._reset(path)
        return _shown(self.bmc, path)

    def _log_in(
        self,
    ) -> Told:
        bmc = self.bmc
        if not bmc.plan.has_sessions:
            return 404, {}
        if (self.content.get("UserName"), self.content.get("Password")) != (
            USER,
            PASSWORD,
        ):
            return 401, {}
        with bmc.lock:
            if len(bmc.sessions) >= bmc.plan.slots:
                told = {"MessageId": "Base.1.0.SessionLimitExceeded"}
                return bmc.plan.full_status, {
                    "error": {"@Message.ExtendedInfo": [told]}
                }
            bmc.logins += 1
            path, token = f"{SESSIONS}/{bmc.logins}", secrets.token_hex()
            bmc.sessions[path] = token
        return 201, {"@odata.id": path}, {"Location": path, "X-Auth-Token": token}

    def _is_known(self) -> bool:
        if self.headers.get("X-Auth-Token") in self.bmc.sessions.values():
            return True
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {pair}"

    def _reset(self, path: str) -> Told:
        bmc, script = self.bmc, self.bmc.plan
        if not path.endswith("/Actions/ComputerSystem.Reset"):
            return 404, {}
        if script.role == "ReadOnly":
            return 403, {}
        if script.demands_etag and self.headers.get("If-Match") != ETAG:
            return script.demands_etag, {}
        if self.order not in script.reset_types:
            return 400, {"error": {"code": "Base.1.0.ActionParameterNotSupported"}}
        if script.takes_as_task_s < 0:
            bmc.carry_out(self.order)
            return 204, {}
        bmc.carry_out(self.order, script.takes_as_task_s)
        task = f"/redfish/v1/TaskService/Tasks/{len(bmc.orders)}/Monitor"
        bmc.tasks[task] = time.monotonic() + script.takes_as_task_s + script.off_takes_s
        return 202, {}, {"Location": task}

    def _answer(
        self,
        status: int,
        document: Document,
        headers: dict[str, str] | None = None,
    ) -> None:
        body = b"" if status == 204 else json.dumps(document).encode()
        self._send(status, body, headers or {})

    def _send(
        self, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"ETag": ETAG, **(headers or {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _reset(connection: socket.socket) -> None:
    """Leave without a word: the other side gets a reset."""
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


SESSIONS = "/redfish/v1/SessionService/Sessions"
SYSTEMS = "/redfish/v1/Systems"
ACCOUNTS = "/redfish/v1/AccountService/Accounts"
ROLES = "/redfish/v1/AccountService/Roles"
ETAG = 'W/"1"'


def _kind(method: str, path: str) -> str:
    if method == "POST":
        return plan.LOGIN if path == SESSIONS else plan.RESET
    if path == "/redfish/v1":
        return plan.ROOT
    if path.startswith(SYSTEMS + "/") and "ActionInfo" not in path:
        return plan.READ
    return plan.TASK if "/Tasks/" in path else "other"


def _root(script: Plan) -> dict[str, object]:
    root: dict[str, object] = {
        "RedfishVersion": "1.15.0",
        "Systems": {"@odata.id": SYSTEMS},
    }
    if script.has_sessions:
        root["Links"] = {"Sessions": {"@odata.id": SESSIONS}}
    if script.shows_accounts:
        root["AccountService"] = {"@odata.id": "/redfish/v1/AccountService"}
    return root


def _shown(bmc: RedfishServer, path: str) -> tuple[int, dict[str, object]]:
    script = bmc.plan
    if path in bmc.tasks:
        is_over = time.monotonic() >= bmc.tasks[path]
        return (200 if is_over else 202), {}
    name = path.rpartition("/")[2]
    documents: dict[str, dict[str, object]] = {
        SYSTEMS: _members([f"{SYSTEMS}/{name}" for name in script.systems])
    }
    if script.shows_accounts:
        documents["/redfish/v1/AccountService"] = {"Accounts": {"@odata.id": ACCOUNTS}}
        documents[ACCOUNTS] = _members([f"{ACCOUNTS}/1", f"{ACCOUNTS}/2"])
        documents[f"{ACCOUNTS}/1"] = {"UserName": "somebody"}
        role = {"Role": {"@odata.id": f"{ROLES}/{script.role}"}}
        documents[f"{ACCOUNTS}/2"] = {"UserName": USER, "Links": role}
        granted = ["Login", "ConfigureSelf"]
        granted += [] if script.role == "ReadOnly" else ["ConfigureComponents"]
        told: dict[str, object] = {"Id": script.role, "AssignedPrivileges": granted}
        documents[f"{ROLES}/{script.role}"] = told
    if path in documents:
        return 200, documents[path]
    if path.startswith(SYSTEMS) and name == "ResetActionInfo":
        values = {"Name": "ResetType", "AllowableValues": list(script.reset_types)}
        return 200, {"Parameters": [values]}
    if path.startswith(SYSTEMS) and name in script.systems:
        return 200, _system(bmc, path)
    return 404, {}


def _members(paths: list[str]) -> dict[str, object]:
    return {"Members": [{"@odata.id": path} for path in paths]}


def _system(bmc: RedfishServer, path: str) -> dict[str, object]:
    document: dict[str, object] = {"Id": path, "PowerState": bmc.shown_power()}
    if not bmc.plan.has_reset:
        return document
    reset: dict[str, object] = {"target": f"{path}/Actions/ComputerSystem.Reset"}
    if bmc.plan.tells_types == "annotation":
        reset[ALLOWED] = list(bmc.plan.reset_types)
    elif bmc.plan.tells_types == "ActionInfo":
        reset["@Redfish.ActionInfo"] = f"{path}/ResetActionInfo"
    document["Actions"] = {RESET: reset}
    return document
