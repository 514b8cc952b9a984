"""What the protocol refuses, and by which name (PROTOCOL §11)."""

from typing import Literal

Code = Literal[
    "base64url",
    "jwk",
    "modulus",
    "thumbprint",
    "address",
    "length",
    "version",
    "kind",
    "responder",
    "own",
    "invite",
    "answer",
    "epoch",
    "rsa",
    "kem",
    "aead",
    "turn",
    "content",
    "too-long",
    "spent",
]


class ProtocolError(Exception):
    """A refusal. It carries its code and nothing else, so that no error message can give a secret away."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code
