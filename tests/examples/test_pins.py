from mockserver.testing import MockVendors
from tests.examples.sending import send


def test_in_order(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    polyai.send_sms.pin("server_error", "rules", "rate_limited")  # rules: as if nothing were pinned
    assert [send(polyai).status_code for _ in range(4)] == [500, 202, 429, 202]


def test_until_removed(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    with polyai.send_sms.pin("rate_limited", then="last") as pin:
        assert [send(polyai).status_code for _ in range(3)] == [429, 429, 429]
        assert pin.used == 3
    assert send(polyai).status_code == 202


def test_for_some_requests(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    polyai.send_sms.pin("rate_limited", where={"json": {"user_number": "+14155550124"}})
    polyai.send_sms.pin("server_error", when={"/body/message": {"pattern": "^Hi"}})
    answers = [send(polyai, "+14155550124", "Hello"), send(polyai, text="Hi"), send(polyai, text="Hi")]
    assert [answer.status_code for answer in answers] == [429, 500, 202]


def test_with_values_of_your_own(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    polyai.send_sms.pin("rate_limited", changes={"/header/Retry-After": "7"})
    polyai.send_sms.pin({"status": 502, "headers": {"content-type": "text/html"}, "body": "<h1>Bad gateway</h1>"})
    assert send(polyai).headers["Retry-After"] == "7"
    assert send(polyai).text == "<h1>Bad gateway</h1>"


def test_replace(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    polyai.send_sms.pin("rate_limited", then="last")
    assert send(polyai).status_code == 429
    polyai.send_sms.pin("server_error", replace=True)  # in place of what was pinned here before
    assert send(polyai).status_code == 500


def test_an_outage(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    with polyai.pin({"status": 503}, then="last"):  # every operation of the vendor; mock_vendors.pin: of all vendors
        assert send(polyai).status_code == 503
    assert send(polyai).status_code == 202
