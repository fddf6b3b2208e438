"""TLS from a client's side."""

import ssl


def trusting(ca: str) -> ssl.SSLContext:
    """A client that trusts this CA, and prefers HTTP/2."""
    context = ssl.create_default_context(cadata=ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> ssl.SSLObject:
    """The client's end of a handshake, in memory. Raises the client's SSLError."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    own = client.wrap_bio(to_client, to_server, server_hostname=host)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in (own, other):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return own
