"""A second implementation of Quarter's end-to-end protocol, written from docs/PROTOCOL.md alone.

It shares no code with the page or the server, and takes its primitives from `cryptography`. `client` is the
door for bots, `python -m reference` the one for people. The protocol's modules do no I/O: bytes and states go
in, bytes and the next states come out.

    identity, link               who one is, and how one is found
    handshake                    offer and answer
    ratchet, volatile            messages, and the typing sign
    content, packing, padding    what a message says
    state                        what a side keeps
    safety                       what two people compare
"""
