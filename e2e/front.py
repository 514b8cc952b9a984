"""TLS in front of a server, as the Caddyfile has it: http is sent to https, the rest goes on to the server.

Both are answered at one port, as the first byte of a connection tells them apart: so a scanner that asks both
can be given one. The certificate is made for the run, and lives in a file of the test's.
"""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PIECE_BYTES = 65536
TLS_HANDSHAKE = b"\x16"
TOLD = (b"X-Forwarded-For: 203.0.113.7\r\n", b"X-Forwarded-Proto: https\r\n")
CLOSE = b"Connection: close\r\n"
HOP = (b"connection: keep-alive\r\n", b"connection: close\r\n")


class Front:
    """Listens from the beginning; `serve` says where the server is. `certificate` is PEM, key included."""

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "front.pem"
        self.certificate.write_bytes(_certificate())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"localhost:{self._listener.getsockname()[1]}"
        self.url = f"https://{self.host}"
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(self.certificate)

    def serve(self, port: int) -> None:
        """Passes everything on to this port of 127.0.0.1 until `end`."""
        self._server = ("127.0.0.1", port)
        threading.Thread(target=self._accept, daemon=True).start()

    def end(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=[client], daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            if client.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
                with self._tls.wrap_socket(client, server_side=True) as inside:
                    self._pass_on(inside)
            else:
                client.recv(PIECE_BYTES)
                answer = f"HTTP/1.1 308 Permanent Redirect\r\nLocation: {self.url}/\r\n"
                client.sendall(f"{answer}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())

    def _pass_on(self, client: ssl.SSLSocket) -> None:
        """One request, which is told where it came from and is the last of its connection."""
        with socket.create_connection(self._server) as server, client.makefile("rb") as sent:
            line, *headers = iter(sent.readline, b"\r\n")
            kept = [each for each in headers if each.lower() not in HOP]
            server.sendall(
                b"".join([line, *TOLD, *([] if _is_upgrade(headers) else [CLOSE]), *kept, b"\r\n"])
            )
            server.sendall(sent.read(_length(headers)))
            while piece := server.recv(PIECE_BYTES):
                client.sendall(piece)


def _is_upgrade(headers: list[bytes]) -> bool:
    return any(each.lower().startswith(b"upgrade:") for each in headers)


def _length(headers: list[bytes]) -> int:
    values = [each.partition(b":")[2] for each in headers if each.lower().startswith(b"content-length:")]
    return int(values[0]) if values else 0


@contextmanager
def opened(directory: Path) -> Iterator[Front]:
    """A front that ends with the block."""
    front = Front(directory)
    try:
        yield front
    finally:
        front.end()


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
