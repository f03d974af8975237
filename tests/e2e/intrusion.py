"""Runs in the visitor's pod: tries what is forbidden, and prints the answers as JSON.

Argument: the address of a pod of products.
"""

import json
import socket
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any

import grpc

from dapr_hero.products.v1 import products_pb2 as pb
from dapr_hero.products.v1.products_pb2_grpc import ProductsStub

PRODUCTS = "products.dapr-hero-products"
INTERNAL_PORT = 50002


def main() -> None:
    address = sys.argv[1]
    answers = {
        "grpc": over_grpc("127.0.0.1:50001", ("dapr-app-id", PRODUCTS)),
        "http": over_http(
            f"http://127.0.0.1:3500/v1.0/invoke/{PRODUCTS}/method/products.v1.Products/GetProduct"
        ),
        "plain text": over_grpc(f"{address}:{INTERNAL_PORT}"),
        "plain bytes": plain_bytes(address),
        "tls without a certificate": without_certificate(address),
        "reachable": reachable(address),
    }
    json.dump(answers, sys.stdout)


def over_grpc(target: str, *metadata: tuple[str, str]) -> list[str]:
    with grpc.insecure_channel(target) as channel:
        try:
            ProductsStub(channel).GetProduct(pb.GetProductRequest(id="x"), metadata=metadata, timeout=15)
        except grpc.RpcError as error:
            return [error.code().name, error.details() or ""]
    return ["OK", ""]


def over_http(url: str) -> list[Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=15) as answer:  # noqa: S310
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]


def plain_bytes(address: str) -> str:
    """Return the response to the preface of HTTP/2 in plain text."""
    with socket.create_connection((address, INTERNAL_PORT), timeout=15) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        try:
            return connection.recv(1000).hex()
        except ConnectionError as error:
            return type(error).__name__


def without_certificate(address: str) -> str:
    """Return whether a caller without a certificate of Sentry's receives a first byte."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((address, INTERNAL_PORT), timeout=15) as connection,
            context.wrap_socket(connection) as secured,
        ):
            secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
            return f"answered {secured.recv(1000).hex()}"
    except (ssl.SSLError, ConnectionError) as error:
        return f"refused: {error}"


def reachable(address: str) -> dict[str, bool]:
    """Return the ports of the pod that accept a connection from another pod."""
    return {str(port): connects(address, port) for port in (3004, 3500, 50001, 50002, 50151)}


def connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


main()
