"""The network."""

import http.client
import http.server
import socket
import threading
import urllib.error
import urllib.request

RATES = "rates.example.com"


def is_online(host=RATES, port=80):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def rate(currency):
    try:
        with urllib.request.urlopen(f"http://{RATES}/{currency}", timeout=1) as answer:
            return answer.read().decode(), "live"
    except OSError:
        return "1.0", "cache"


def address_of(host):
    return socket.gethostbyname(host)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


def serve(port):
    server = http.server.HTTPServer(("127.0.0.1", port), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def get(port, timeout=2):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.request("GET", "/")
    body = connection.getresponse().read()
    connection.close()
    return body
