"""The provider over TLS: it speaks only to a back end that proves its name."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from confsync.errors import ProviderRefusesUs


def _write_certificate(file: Path) -> None:
    """Write a new key and a certificate for `localhost` that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + certificate.public_bytes(encoding))


def _read_request(connection: ssl.SSLSocket) -> bytes:
    """Read all of it: closing with something unread would reset the connection."""
    request = b""
    while not request.endswith(b'"data":{}}') and (part := connection.recv(65536)):
        request += part
    return request


def _serve(listener: socket.socket, context: ssl.SSLContext, served: list[bytes]) -> None:
    """Answer one request on one connection, if a connection comes about."""
    try:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as secure:
            served.append(_read_request(secure))
            secure.sendall(b'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 15\r\n\r\n{"type":"pong"}')
    except OSError:
        return


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return the file of a certificate that no public authority knows."""
    file = tmp_path / "localhost.pem"
    _write_certificate(file)
    return file


@pytest.fixture
def secure_back_end(certificate: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of a back end with that certificate, and what it was sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    served: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_serve, args=(listener, context, served))
        server.start()
        yield f"https://localhost:{listener.getsockname()[1]}/", served
        server.join()


def test_a_certificate_of_nobody_we_trust_is_for_the_operator(
    secure_back_end: tuple[str, list[bytes]], provider_for: Any
) -> None:
    """Nothing is sent, and the message names the way out."""
    url, served = secure_back_end
    with pytest.raises(ProviderRefusesUs, match="SSL_CERT_FILE"):
        provider_for(url).ping()
    assert served == []


def test_a_private_authority_can_be_named(
    secure_back_end: tuple[str, list[bytes]],
    certificate: Path,
    provider_for: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A back end inside a company is trusted through the file that SSL_CERT_FILE names."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url, served = secure_back_end
    provider_for(url).ping()
    assert served
