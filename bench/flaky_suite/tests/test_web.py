"""The network, ports."""

import socket
import threading
import time

import pytest

from shop import web


def test_rates_are_live():
    assert web.rate("usd")[1] == "live"


def test_shop_is_online():
    assert web.is_online()


def test_rate_from_the_cache():
    assert web.rate("usd") == ("1.0", "cache")


def test_address_is_known():
    assert web.address_of("shop.example.com").count(".") == 3


def test_answer_within_its_time():
    server = web.serve(0)
    try:
        assert web.get(server.server_address[1], timeout=0.1) == b"hello"
    finally:
        server.shutdown()
        server.server_close()


def test_serves_on_its_port():
    server = web.serve(18089)
    try:
        assert web.get(18089) == b"hello"
    finally:
        server.shutdown()
        server.server_close()


def test_listens():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 18090))
        listening.listen()
        with socket.create_connection(("127.0.0.1", 18090), timeout=5):
            pass


def test_datagram_arrives():
    port = 18091
    inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inbox.bind(("127.0.0.1", port))
    inbox.settimeout(5)
    outbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outbox.sendto(b"x", ("127.0.0.1", port))
    assert inbox.recv(1) == b"x"
    inbox.close()
    outbox.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_serves_on_a_port_that_was_free():
    port = free_port()
    server = web.serve(port)
    try:
        assert web.get(port) == b"hello"
    finally:
        server.shutdown()
        server.server_close()


def test_serves_anywhere():
    server = web.serve(0)
    try:
        assert web.get(server.server_address[1]) == b"hello"
    finally:
        server.shutdown()
        server.server_close()


def test_local_pair():
    left, right = socket.socketpair()
    left.sendall(b"x")
    assert right.recv(1) == b"x"
    left.close()
    right.close()


def test_closed_port_refuses():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(OSError):
            socket.create_connection(held.getsockname(), timeout=1)


def test_offline_is_told(monkeypatch):
    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr(web.socket, "create_connection", refuse)
    assert not web.is_online()


def test_loopback_has_an_address():
    assert web.address_of("localhost") == "127.0.0.1"


def test_client_waits_for_the_server():
    ready = threading.Event()
    place = []

    def run():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            place.append(listening.getsockname())
            ready.set()
            connection, _ = listening.accept()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    with socket.create_connection(place[0], timeout=5):
        pass
    thread.join()


def test_client_hopes_for_the_server():
    place = []

    def run():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            place.append(listening.getsockname())
            listening.settimeout(2)
            try:
                listening.accept()[0].close()
            except OSError:
                pass

    threading.Thread(target=run, daemon=True).start()
    time.sleep(0.05)
    with socket.create_connection(place[0], timeout=5):
        pass
