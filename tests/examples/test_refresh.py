import time

import httpx
from joserfc import jwk, jwt

from mockserver.testing import MockVendors, Vendor


class Client:
    """The code under test: it signs a token for an hour, and a new one five minutes before that is over."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.ahead = 0.0  # seconds; in a project: whatever its clock is, injected or moved by time-machine
        self.expires, self.token = 0.0, ""

    def current(self) -> str:
        now = time.time() + self.ahead
        if now > self.expires - 300:
            self.expires, times = now + 3600, {"iat": int(now), "exp": int(now) + 3600}
            self.token = self.signed(times)
        return self.token

    def signed(self, times: dict[str, int]) -> str:
        if self.vendor.name == "koreai":
            app = self.vendor.credentials["apps"][0]
            secret = jwk.OctKey.import_key(app["client_secret"])
            return jwt.encode({"alg": "HS256"}, {"appId": app["client_id"], **times}, secret)
        account, key = self.vendor.credentials["account_id"], self.vendor.credentials["keys"][0]
        signing = jwk.RSAKey.import_key(key["private_key"])
        return jwt.encode({"alg": "RS256", "kid": key["key_id"]}, {"iss": str(account), **times}, signing)

    def send(self) -> httpx.Response:
        owned, token = self.vendor.owned, self.current()
        if self.vendor.name == "koreai":
            path = f"/api/public/bot/{owned['bots'][0]['id']}/outboundsms"
            body = {"toNo": "+14155550123", "fromNo": owned["numbers"][0]}
            return httpx.post(self.vendor.url + path, json=body, headers={"auth": token})
        query = {"source": owned["numbers"][0]["number"], "destination": "447700900222", "sms_body": "Hi"}
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.vendor.url}/platform_api/SendSmsMessage", params=query, headers=headers)


def test_a_token_is_refreshed_in_time(mock_vendors: MockVendors) -> None:
    clients = [Client(mock_vendors.voximplant), Client(mock_vendors.koreai)]
    for _ in range(3):
        for client in clients:
            client.send()
        mock_vendors.advance(3400)
        for client in clients:
            client.ahead += 3400  # the client's own clock moves with the account's
    assert all(client.vendor.send_sms.call_count == 3 for client in clients)
    mock_vendors.assert_accepted(times=6)
