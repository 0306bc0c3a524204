"""A certificate authority of our own and a certificate of its, made anew for every test run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_USAGE = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
_PEM = serialization.Encoding.PEM


def make(folder: Path) -> tuple[Path, Path]:
    """The chain and the key as C2PA wants them, PEM."""
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _draft("Root", "Root", root).add_extension(x509.BasicConstraints(True, None), True).add_extension(
        x509.KeyUsage(**{**_USAGE, "key_cert_sign": True}), True).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(root.public_key()), False).sign(root, hashes.SHA256())
    signer = _draft("Leaf", "Root", leaf).add_extension(x509.BasicConstraints(False, None), True).add_extension(
        x509.KeyUsage(**{**_USAGE, "digital_signature": True}), True).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False).sign(root, hashes.SHA256())
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signer.public_bytes(_PEM) + authority.public_bytes(_PEM))
    key.write_bytes(leaf.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return chain, key


def _draft(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(
        key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(
        now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])
