"""The official SDKs of further vendors send, unchanged, through contracts that anybody could have written.

They run under ``mockserver run``, so each has an account of its own that nobody has used before.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tools.installing import INSTALLING, virtual_environment

CONTRACTS = Path(__file__).parents[1] / "vendors" / "contracts"
TWILIO = """
import json, os
from twilio.rest import Client

client = Client(os.environ["TWILIO_ACCOUNTS_0_SID"], os.environ["TWILIO_ACCOUNTS_0_AUTH_TOKEN"])
media = ["https://a.example/1", "https://a.example/2"]
sent = client.messages.create(to="+12025550123", from_="+12025550100", body="Hi", media_url=media)
shown = client.messages(sent.sid).fetch()
listed = [message.sid for message in client.messages.list(limit=5)]
print(json.dumps([sent.status, shown.body, shown.date_created.year > 2000, listed == [sent.sid]]))
"""
RECEIVER = """
import http.server, json, os, queue, threading

told = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told.put((self.path, self.rfile.read(int(self.headers["content-length"])), dict(self.headers)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{receiver.server_port}"
"""
TWILIO_TOLD = f"""{RECEIVER}
from urllib.parse import parse_qsl
from twilio.request_validator import RequestValidator
from twilio.rest import Client

sid, token = os.environ["TWILIO_ACCOUNTS_0_SID"], os.environ["TWILIO_ACCOUNTS_0_AUTH_TOKEN"]
sent = Client(sid, token).messages.create(
    to="+12025550123", from_="+12025550100", body="Hi & so on", status_callback=origin + "/status?shop=1&of=a%20b"
)
found = []
for _ in range(2):
    path, body, headers = told.get(timeout=60)
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    is_right = RequestValidator(token).validate(origin + path, form, headers["x-twilio-signature"])
    about_it = form["MessageSid"] == form["SmsSid"] == sent.sid and form["AccountSid"] == sid
    found.append([form["MessageStatus"], is_right, about_it, form["From"]])
print(json.dumps(found))
"""
SINCH = f"""{RECEIVER}
from sinch import SinchClient

plan, token = os.environ["SINCH_PLANS_0_SERVICE_PLAN_ID"], os.environ["SINCH_PLANS_0_API_TOKEN"]
sms = SinchClient(service_plan_id=plan, sms_api_token=token, sms_region="us").sms
how = dict(delivery_report="per_recipient", event_destination_target=origin + "/told")
sent = sms.batches.send_sms(to=["+12025550123"], from_="+12025550100", body="Hi", **how)
shown, canceled = sms.batches.get(sent.id), sms.batches.cancel(sent.id)
found = [shown == sent, canceled.canceled]
events = sms.sinch_events(os.environ["SINCH_PLANS_0_CALLBACK_SECRET"])
for _ in range(2):
    path, body, headers = told.get(timeout=60)
    report = events.parse_event(body, headers)
    found.append([report.status, events.validate_authentication_header(headers, body), report.batch_id == sent.id])
print(json.dumps(found))
"""
VONAGE = """
import json, os
from vonage import Auth, Vonage
from vonage_messages import Sms
from vonage_sms import SmsMessage

key = Auth(api_key=os.environ["VONAGE_SMS_USERS_0_API_KEY"], api_secret=os.environ["VONAGE_SMS_USERS_0_API_SECRET"])
sent = Vonage(key).sms.send(SmsMessage(to="12025550123", from_="AcmeInc", text="Hi"))
application = Auth(
    application_id=os.environ["VONAGE_MESSAGES_APPLICATIONS_0_APPLICATION_ID"],
    private_key=os.environ["VONAGE_MESSAGES_APPLICATIONS_0_PRIVATE_KEY"],
)
taken = Vonage(application).messages.send(Sms(to="447700900000", from_="AcmeInc", text="Hi"))
print(json.dumps([sent.messages[0].status, sent.messages[0].to, len(taken.message_uuid)]))
"""


def printed(python: Path, program: str, *expected: str, state: Path | None = None) -> Any:
    """What a program prints under ``mockserver run``, which holds it to the calls that are expected of it."""
    run: list[str | Path] = [sys.executable, "-m", "mockserver", "run", "--no-builtin", "--contracts", CONTRACTS]
    run += [] if state is None else ["--state", state]
    held = ["--fail-on", "refused", *(word for calls in expected for word in ("--expect", calls))]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    ended = subprocess.run(
        [*run, *held, "--", python, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALLING,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return json.loads(ended.stdout)


def state_file(folder: Path, spoilt: str | None) -> Path:
    """A file of a state in which the first callback of this name has a wrong signature."""
    pins = [] if spoilt is None else [{"operation": spoilt, "fault": {"kind": "wrong_signature"}}]
    file = folder / "state.json"
    file.write_text(json.dumps({"pins": pins}), "utf-8")
    return file


def test_twilio(tools: Path) -> None:
    """A message with two media is sent, shown and listed; its date is one that the SDK reads."""
    python = virtual_environment(tools / "twilio-9.13.0", "twilio==9.13.0")
    calls = (f"twilio.{name}=1" for name in ("send_sms", "show_message", "list_messages"))
    assert printed(python, TWILIO, *calls) == ["queued", "Hi", True, True]


@pytest.mark.parametrize("spoilt", [False, True], ids=["as it is", "spoilt"])
def test_twilio_tells_what_became_of_a_message(tools: Path, tmp_path: Path, spoilt: bool) -> None:
    """Its callbacks are forms, signed so that the SDK's own validator takes them; a spoilt signature it refuses."""
    python = virtual_environment(tools / "twilio-9.13.0", "twilio==9.13.0")
    state = state_file(tmp_path, "twilio.message_status" if spoilt else None)
    told = printed(python, TWILIO_TOLD, "twilio.send_sms=1", state=state)
    assert told == [["sent", not spoilt, True, "+12025550100"], ["delivered", True, True, "+12025550100"]]


@pytest.mark.parametrize("spoilt", [False, True], ids=["as it is", "spoilt"])
def test_sinch(tools: Path, tmp_path: Path, spoilt: bool) -> None:
    """A batch is sent, shown and cancelled; its reports are signed so that the SDK takes them, unless one is spoilt."""
    python = virtual_environment(tools / "sinch-2.3.0", "sinch==2.3.0")
    calls = (f"sinch.{name}=1" for name in ("send_sms", "show_batch", "cancel_batch"))
    told = printed(python, SINCH, *calls, state=state_file(tmp_path, "sinch.recipient_report" if spoilt else None))
    assert told == [True, True, ["Dispatched", not spoilt, True], ["Delivered", True, True]]


def test_vonage(tools: Path) -> None:
    """One SDK, two APIs: by key and secret, and by a token that it signs with the application's private key."""
    python = virtual_environment(tools / "vonage-4.9.1", "vonage==4.9.1")
    calls = ("vonage_sms.send_sms=1", "vonage_messages.send_sms=1")
    assert printed(python, VONAGE, *calls) == ["0", "12025550123", 36]
