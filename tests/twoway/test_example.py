"""The two-way test that the testing guide shows, as a user writes it."""

import pytest

from mockserver.testing import MockVendors
from tests.twoway.shop import Shop

URLS = {"callback_url": "https://shop.test/receipts", "inbound_url": "https://shop.test/replies"}


@pytest.mark.mock_vendors(vendors={"parcel": URLS})  # where the vendor sends its callbacks for this customer
def test_a_conversation(mock_vendors: MockVendors) -> None:
    shop, phone = Shop(mock_vendors.parcel), mock_vendors.inbox("+12025550199")
    shop.send_code(phone.number, "4711")
    assert phone.wait_for("code", within=2).code == "4711"
    mock_vendors.parcel.assert_delivered(recipient=phone.number, within=2)
    mock_vendors.callbacks.deliver_to(shop.app)  # the receipts; an application with a port gets them by itself
    assert shop.states == ["sent", "delivered"]
    phone.reply("STOP")
    mock_vendors.callbacks.deliver_to(shop.app)
    assert shop.left == {phone.number}
    mock_vendors.parcel.received.assert_called(json={"text": "STOP"}, times=1)
