"""The certificates with which QEMU encrypts a migration, signed by one authority.

Names and contents of the files: QEMU's "TLS setup for network services"; both ends show
a certificate and check the other's, the source by the name it reached the target under.
"""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hosts.host import CERTIFICATES, Host

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs what a host needs to send a guest encrypted, and to receive one."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._signed("vmha test authority", self._key, [], True)

    def trust(self, host: Host, *names: str) -> None:
        """Give a host certificates for these names, or for its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = self._signed(host.name, key, list(names or (host.name,)), False)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        folder = host.path(CERTIFICATES)
        (folder / "ca-cert.pem").write_bytes(self._own)
        for end in ("server", "client"):
            (folder / f"{end}-cert.pem").write_bytes(signed)
            (folder / f"{end}-key.pem").write_bytes(secret)

    def _signed(
        self, subject: str, key: ec.EllipticCurvePrivateKey, names: list[str], ca: bool
    ) -> bytes:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("vmha test authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if names:
            known = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(known, critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def distrust(host: Host) -> None:
    """Take a host's certificates away."""
    for file in host.path(CERTIFICATES).iterdir():
        file.unlink()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
