"""sushy-tools as a BMC: its emulator as a process, over TLS, with a password.

An ``Emulator`` owns a folder, a port and a process. Its fake driver is told to take a
second at most for a change of power, instead of one to eleven; behind its libvirt
driver real domains are turned on and off.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

USER, PASSWORD = "fencer", "tell-nobody-2"
ADDRESS = "127.0.0.1"
READY_S = 20.0
LAUNCH = """\
import random, sys
random.randint = lambda least, most: 1
from sushy_tools.emulator.main import main
sys.exit(main())
"""
NODE = {"uuid": "27946b59-9e44-4fa7-8e91-f3527a1ef094", "name": "node1"}
SPARE = {"uuid": "5a0bb5a5-5f4c-4f2e-9f0b-0d8d2a5c1f10", "name": "node2"}


def fake_systems(*power: str) -> str:
    """Return the configuration of a rack with as many systems."""
    systems = [
        {**system, "power_state": state, "external_notifier": False, "nics": []}
        for system, state in zip((NODE, SPARE), power)
    ]
    return f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems}"


class Emulator:
    """sushy-emulator on a port of its own.

    ``certificate`` is its own, ``authority`` that of who signed it.
    """

    def __init__(self, folder: Path, configuration: str) -> None:
        folder.mkdir()
        self.certificate = folder / "certificate.pem"
        self.authority = folder / "authority.pem"
        self.log = folder / "log"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        key = folder / "key.pem"
        _certify(self.certificate, key, self.authority)
        accounts = folder / "accounts"
        secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        accounts.write_text(f"{USER}:{secret}\n")
        with socket.socket() as probe:
            probe.bind((ADDRESS, 0))
            self.port: int = probe.getsockname()[1]
        state = folder / "state"
        state.mkdir()
        lines = (
            f"SUSHY_EMULATOR_LISTEN_IP = {ADDRESS!r}",
            f"SUSHY_EMULATOR_LISTEN_PORT = {self.port}",
            f"SUSHY_EMULATOR_SSL_CERT = {str(self.certificate)!r}",
            f"SUSHY_EMULATOR_SSL_KEY = {str(key)!r}",
            f"SUSHY_EMULATOR_AUTH_FILE = {str(accounts)!r}",
            f"SUSHY_EMULATOR_STATE_DIR = {str(state)!r}",
            configuration,
        )
        (folder / "emulator.conf").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> Emulator:
        configuration = str(self._folder / "emulator.conf")
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, "--config", configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            )
        end = time.monotonic() + READY_S
        while not self._listens():
            assert time.monotonic() < end, self.log.read_text()
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((ADDRESS, self.port)) == 0

    def resets(self) -> list[str]:
        """Return the resets that the emulator has carried out, by its own log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "Actions/ComputerSystem.Reset" in line]


def _certify(certificate: Path, key: Path, authority: Path) -> None:
    """Write a key, a certificate for the emulator's address, and who vouches for it."""
    signer, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    whose = [x509.IPAddress(ipaddress.ip_address(ADDRESS)), x509.DNSName("localhost")]
    ca = x509.BasicConstraints(ca=True, path_length=None)
    of_signer = _begun("authority", signer).add_extension(ca, critical=True)
    of_own = _begun("emulated BMC", own).add_extension(
        x509.SubjectAlternativeName(whose), critical=False
    )
    for path, begun in ((authority, of_signer), (certificate, of_own)):
        signed = begun.sign(signer, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    text = own.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key.write_bytes(text)


def _begun(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
