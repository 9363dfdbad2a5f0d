# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test certificate authority, and the good and bad certificates that tests need.

Made with `cryptography` in a given folder, with all extensions that Python 3.13's strict verification
(`VERIFY_X509_STRICT`) asks for.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

LOOPBACK_NAMES = ("localhost", "127.0.0.1")
_USER_PRINCIPAL_NAME = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


class ServerContext(ssl.SSLContext):
    """A TLS context that knows the certificate that it serves, DER: logins can be bound to it."""

    certificate: bytes


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate and its private key, PEM, unencrypted."""

    certificate: Path
    key: Path

    def server_context(self, *, client_ca: Path | None = None) -> ServerContext:
        """A TLS context for a server; with `client_ca` it asks for (but does not insist on) a client certificate."""
        context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.certificate = ssl.PEM_cert_to_DER_cert(self.certificate.read_text("ascii"))
        if client_ca is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(client_ca)
        return context


class CertificateAuthority:
    """A certificate authority that lives as long as a test run."""

    def __init__(self, folder: Path, common_name: str = "Simulator Test CA") -> None:
        self.folder = folder
        self._serial = 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(common_name)
        builder = _builder(self._name, self._name, self._key.public_key(), *_validity(expired=False))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        self._certificate = self._sign(builder, self._key)
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, names: Sequence[str] = LOOPBACK_NAMES, *, expired: bool = False) -> CertificateFiles:
        """A server certificate for these host names and addresses. For a wrong name, give another name."""
        return self._issue(_alternative_names(names), names[0], ExtendedKeyUsageOID.SERVER_AUTH, expired=expired)

    def client(self, user: str, *, expired: bool = False) -> CertificateFiles:
        """A client certificate; the user's UPN is in the subject alternative name, as Windows maps it."""
        upn = x509.OtherName(_USER_PRINCIPAL_NAME, _der_utf8(user))
        names = x509.SubjectAlternativeName([upn])
        return self._issue(names, user, ExtendedKeyUsageOID.CLIENT_AUTH, expired=expired)

    def self_signed(self, names: Sequence[str] = LOOPBACK_NAMES) -> CertificateFiles:
        """A server certificate that no authority vouches for, as Exchange installs it by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(names[0])
        builder = _builder(name, name, key.public_key(), *_validity(expired=False))
        builder = _end_entity(builder, _alternative_names(names), ExtendedKeyUsageOID.SERVER_AUTH)
        return self._write(self._sign(builder, key, key.public_key()), key)

    def _issue(
        self, names: x509.SubjectAlternativeName, common_name: str, purpose: ObjectIdentifier, *, expired: bool
    ) -> CertificateFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name), self._name, key.public_key(), *_validity(expired=expired))
        builder = _end_entity(builder, names, purpose)
        return self._write(self._sign(builder, self._key, self._key.public_key()), key)

    def _sign(
        self,
        builder: x509.CertificateBuilder,
        key: ec.EllipticCurvePrivateKey,
        issuer: ec.EllipticCurvePublicKey | None = None,
    ) -> x509.Certificate:
        if issuer is not None:
            authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer)
            builder = builder.add_extension(authority, critical=False)
        return builder.sign(key, hashes.SHA256())

    def _write(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> CertificateFiles:
        self._serial += 1
        files = CertificateFiles(self.folder / f"{self._serial}.pem", self.folder / f"{self._serial}.key")
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key.touch(mode=0o600)
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def mapped_user(certificate: bytes) -> str | None:
    """The user principal name in a client certificate, DER: the mapping that Windows makes by default."""
    extensions = x509.load_der_x509_certificate(certificate).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    for name in names.get_values_for_type(x509.OtherName):
        if name.type_id == _USER_PRINCIPAL_NAME:
            return _text_of_der_utf8(name.value)
    return None


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _validity(*, expired: bool) -> tuple[datetime.datetime, datetime.datetime]:
    now = datetime.datetime.now(datetime.UTC)
    if expired:
        return now - datetime.timedelta(days=30), now - datetime.timedelta(days=1)
    return now - datetime.timedelta(days=1), now + datetime.timedelta(days=30)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    not_before: datetime.datetime,
    not_after: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _end_entity(
    builder: x509.CertificateBuilder, names: x509.SubjectAlternativeName, purpose: ObjectIdentifier
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(names, critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    general: list[x509.GeneralName] = []
    for name in names:
        try:
            general.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            general.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(general)


def _der_utf8(text: str) -> bytes:
    """A DER UTF8String, short or long form."""
    data = text.encode()
    if len(data) < 128:
        return bytes([0x0C, len(data)]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([0x0C, 0x80 | len(size)]) + size + data


def _text_of_der_utf8(value: bytes) -> str:
    """The text of such a UTF8String."""
    start = 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)
    return value[start:].decode()
