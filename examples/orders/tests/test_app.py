import io
import json

from orders.app import application


def call(path, method="GET", body=None):
    data = json.dumps(body).encode()
    seen = {}

    def start_response(status, headers):
        seen["status"] = status

    environ = {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
    }
    answer = b"".join(application(environ, start_response))
    return seen["status"], json.loads(answer)


def test_health():
    assert call("/health") == ("200 OK", {"status": "ok"})


def test_a_basket_is_priced():
    items = [{"sku": "tea", "price": "3.50", "quantity": 2}]

    assert call("/price", "POST", {"items": items}) == ("200 OK", {"total": "7.00"})


def test_an_unknown_page_is_not_found():
    assert call("/nowhere")[0] == "404 Not Found"
