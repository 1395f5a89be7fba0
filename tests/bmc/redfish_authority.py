"""A certificate authority for tests, and what it signs for a Redfish service."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates; ``path`` is its own, for ca_file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("vmha test authority")
        own = _builder(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.path = folder / "authority.pem"
        signed = own.sign(self._key, hashes.SHA256())
        self.path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def context(
        self, *addresses: str, expired: bool = False, by_itself: bool = False
    ) -> ssl.SSLContext:
        """Return the server side of a service that has these addresses or names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("bmc")
        issuer = subject if by_itself else self._name
        names = x509.SubjectAlternativeName([_general(text) for text in addresses])
        builder = _builder(subject, issuer, key, 3 if expired else 0)
        signed = builder.add_extension(names, critical=False).sign(
            key if by_itself else self._key, hashes.SHA256()
        )
        kept = self._folder / f"{signed.serial_number}.pem"
        kept.write_bytes(
            signed.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(kept)
        return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days_ago: int = 0,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc) - days_ago * DAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )
