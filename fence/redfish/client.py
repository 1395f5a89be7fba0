"""A Redfish session: login, requests with their status checked, and the way out.

Used by ``systems``, ``rights`` and ``power``. Redfish Specification (DSP0266) 1.15:
sessions 13.3.4, statuses 8.5, ETags 6.5. A request that is repeated is one that the
service has refused, or one that changes nothing.
"""

from __future__ import annotations

import json

from vmha.agents.protocol.errors import AgentError
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.access import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.redfish.access import Access
    from vmha.fence.redfish.channel import Answer, Channel

MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
CLOSE_S = 1.0
HEADERS = {"Accept": "application/json", "OData-Version": "4.0"}
SESSIONS_TAKEN = ("SessionLimitExceeded", "CreateLimitReachedForResource")


class Client:
    """One user's way to one service.

    ``login_s`` is the time for one login, ``answer_s`` for one answer.
    """

    def __init__(
        self, access: Access, channel: Channel, login_s: float, answer_s: float
    ) -> None:
        self.access = access
        self._login_s = login_s
        self._answer_s = answer_s
        self._channel = channel
        self._credentials: dict[str, str] = {}
        self.session = ""  # its path, "" with Basic authentication
        self.unanswered = 0  # orders that were sent and got no answer
        self.root: Mapping[str, Any] = {}

    @property
    def label(self) -> str:
        """Return the service's name for sentences."""
        return self.access.label

    def get(self, path: str, deadline: Deadline) -> dict[str, Any]:
        """Return a resource; raises a diagnosis."""
        return self.document(self.fetch(path, deadline), path)

    def fetch(self, path: str, deadline: Deadline) -> Answer:
        """Return the answer to GET, once it is one of success; raises a diagnosis."""
        for _ in range(MOST_REDIRECTS):
            answer = self._authorised("GET", path, {}, b"", deadline)
            if answer.status not in REDIRECTS:
                self.demand_success(answer, f"to show {path}", path)
                return answer
            path = self._redirected(answer, path)
        raise diagnoses.Unintelligible(self.label, "redirects without an end")

    def post(
        self,
        path: str,
        content: Mapping[str, object],
        deadline: Deadline,
        etag: str = "",
    ) -> Answer:
        """Send an order over a connection of its own; its status is not judged.

        An old connection may have been left by the service, and then nobody could tell
        whether the order was read. Raises Unreachable before it is sent, FellSilent
        after that.
        """
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        if etag:
            headers["If-Match"] = etag
        return self._authorised("POST", path, headers, body, deadline, fresh=True)

    def close(self, deadline: Deadline) -> None:
        """End the session, in a second at most; the service has few of them."""
        path, self.session = self.session, ""
        credentials, self._credentials = self._credentials, {}
        try:
            if path:
                part = deadline.part(CLOSE_S)
                if not self._channel.is_ready():
                    self._channel.open(part)
                self._channel.ask("DELETE", path, {**HEADERS, **credentials}, b"", part)
        except AgentError:
            pass  # its idle time ends it
        finally:
            self._channel.close()

    def demand_success(self, answer: Answer, what: str, path: str) -> None:
        """Raise the diagnosis of a status that is not one of success."""
        status = answer.status
        if 200 <= status < 300:
            return
        user = self.access.username
        if status == 401:
            raise diagnoses.WrongLogin(self.label, user)
        if status == 403:
            raise diagnoses.PrivilegeTooLow(self.label, user, what)
        if status in (404, 410):
            raise diagnoses.Missing(self.label, path)
        if status in (429, 503):
            said = f"HTTP status {status}"
            raise diagnoses.Busy(self.label, said, retry_after_s(answer))
        raise diagnoses.RequestRefused(self.label, what, status, message_of(answer))

    def document(self, answer: Answer, path: str) -> dict[str, Any]:
        """Return the JSON object of an answer; raises Unintelligible."""
        try:
            found = json.loads(answer.body.decode())
        except (ValueError, RecursionError) as error:
            what = f"{path} with something that is no JSON"
            raise diagnoses.Unintelligible(self.label, what) from error
        if not isinstance(found, dict):
            what = f"{path} with JSON that is no object"
            raise diagnoses.Unintelligible(self.label, what)
        return found

    # Requests.

    def _authorised(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        fresh: bool = False,
    ) -> Answer:
        """Ask as our user; a session that the service has ended is begun anew, once.

        401 says that nothing was done.
        """
        self._log_in(deadline)
        answer = self._ask(method, path, headers, body, deadline, fresh)
        if answer.status != 401 or not self.session:
            return answer
        self.session, self._credentials = "", {}
        self._log_in(deadline)
        return self._ask(method, path, headers, body, deadline, fresh)

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        fresh: bool = False,
    ) -> Answer:
        """Ask once; ``fresh`` is for an order, all else may be asked again."""
        part = deadline.part(self._answer_s)
        was_open = not fresh and self._channel.is_ready()
        if not was_open:
            self._channel.open(part)
        together = {**HEADERS, **self._credentials, **headers}
        self.unanswered += fresh
        try:
            answer = self._channel.ask(method, path, together, body, part)
        except diagnoses.FellSilent:
            if not was_open or part.expired():
                raise
            self._channel.open(part)  # the service had left an idle connection
            return self._channel.ask(method, path, together, body, part)
        self.unanswered -= fresh
        return answer

    def _redirected(self, answer: Answer, path: str) -> str:
        """Return where to; never to another service, which would get our token."""
        where = self.own_path(answer.headers.get("location", ""))
        if not where:
            what = f"{path} with a redirect away from itself"
            raise diagnoses.Unintelligible(self.label, what)
        return where

    def own_path(self, where: str) -> str:
        """Return the path of an address on this service, "" for any other."""
        scheme, is_whole, rest = where.partition("://")
        if is_whole:
            authority, _, path = rest.partition("/")
            if scheme.lower() != ("http" if self.access.security == PLAIN else "https"):
                return ""
            if authority.lower() not in (
                self.access.authority,
                f"{self.access.authority}:{self.access.port}",
            ):
                return ""
            where = "/" + path
        return _path(where.partition("#")[0])

    # Login.

    def _log_in(self, deadline: Deadline) -> None:
        if self._credentials:
            return
        part = deadline.part(self._login_s)
        self.root = self._service_root(part)
        path = path_of(self.root.get("Links"), "Sessions")
        service = path_of(self.root, "SessionService")
        if not path and service:
            path = service.rstrip("/") + "/Sessions"
        if not path or not self._begun(path, part):
            self._credentials = self._basic()

    def _service_root(self, deadline: Deadline) -> Mapping[str, Any]:
        """Read the service root, which is shown to everybody (DSP0266, 13.2)."""
        path = self.access.root
        for _ in range(MOST_REDIRECTS):
            answer = self._ask("GET", path, {}, b"", deadline)
            if answer.status in REDIRECTS:
                path = self._redirected(answer, path)
                continue
            if answer.status == 401:  # not to everybody, then
                return {}
            if answer.status == 429 or answer.status >= 500:  # it may be starting
                self.demand_success(answer, "to show its service root", path)
            if answer.status != 200:
                seen = f"HTTP status {answer.status}"
                raise diagnoses.NotRedfish(self.label, path, seen)
            root = self.document(answer, path)
            if not ("RedfishVersion" in root or "Systems" in root):
                seen = "no RedfishVersion in it"
                raise diagnoses.NotRedfish(self.label, path, seen)
            return root
        raise diagnoses.Unintelligible(self.label, "redirects without an end")

    def _begun(self, path: str, deadline: Deadline) -> bool:
        """Begin a session; False where the service has none."""
        login = {"UserName": self.access.username, "Password": self.access.password}
        headers = {"Content-Type": "application/json"}
        body = json.dumps(login).encode()
        answer = self._ask("POST", path, headers, body, deadline)
        if answer.status in (404, 405, 501):
            return False
        if answer.status in (400, 401, 403):
            if any(word in message_of(answer) for word in SESSIONS_TAKEN):
                raise diagnoses.SessionsTaken(self.label)
            raise diagnoses.WrongLogin(self.label, self.access.username)
        if answer.status in (429, 503, 507):
            raise diagnoses.SessionsTaken(self.label, retry_after_s(answer))
        self.demand_success(answer, "a login", path)
        token = answer.headers.get("x-auth-token", "")
        if not token:
            what = "a login without a token"
            raise diagnoses.Unintelligible(self.label, what)
        self._credentials = {"X-Auth-Token": token}
        self.session = self._session_path(answer, path)
        return True

    def _session_path(self, answer: Answer, path: str) -> str:
        """Return the path of the new session, from its header or its document."""
        where = path_in(answer.headers.get("location", ""))
        if where or not answer.body:
            return where
        return path_of({"it": self.document(answer, path)}, "it")

    def _basic(self) -> dict[str, str]:
        from base64 import b64encode

        pair = f"{self.access.username}:{self.access.password}".encode()
        return {"Authorization": "Basic " + b64encode(pair).decode()}


def path_of(holder: object, name: str) -> str:
    """Return the ``@odata.id`` of a link, "" where there is none on this service."""
    link = holder.get(name) if isinstance(holder, dict) else None
    return _path(link.get("@odata.id") if isinstance(link, dict) else None)


def path_in(where: str) -> str:
    """Return the path of an address of what the service has just made.

    BMCs name themselves as they like; whatever stands there, only our own connection
    is used.
    """
    _, is_whole, rest = where.partition("://")
    return _path(
        ("/" + rest.partition("/")[2] if is_whole else where).partition("#")[0]
    )


def _path(path: object) -> str:
    if not isinstance(path, str) or not path.startswith("/") or path[:2] == "//":
        return ""
    return path if path.isascii() and path.isprintable() and " " not in path else ""


def retry_after_s(answer: Answer) -> float:
    """Return the seconds of Retry-After, 0 without one (dates are not read)."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def message_of(answer: Answer) -> str:
    """Return the MessageId of an error (DSP0266, 8.6), "" where there is none."""
    try:
        error = json.loads(answer.body.decode())["error"]
        details = error.get("@Message.ExtendedInfo") or [{}]
        found = details[0].get("MessageId") or error.get("code") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    except IndexError:
        return ""
    return " ".join(str(found).split())[:100]
