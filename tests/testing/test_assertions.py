"""What a test can say about calls, and what it is told where that is not so."""

import asyncio
import re
import threading
from typing import Any
from unittest.mock import ANY

import pytest
import requests
from dirty_equals import IsOneOf, IsStr

from mockserver.testing import Account, ControlError, MockServer, MockServerWarning
from tests.testing.sending import TO, send


def failure(assertion: Any, /, **arguments: Any) -> str:
    """The text of the AssertionError that an assertion raises."""
    with pytest.raises(AssertionError) as caught:
        assertion(**arguments)
    return str(caught.value)


def test_accepted_is_less_than_called(account: Account) -> None:
    """A refused call was made all the same; only what the vendor took was accepted."""
    send(account.polyai, "one")
    send(account.polyai, "two", key="")
    operation = account.polyai.send_sms
    assert [call.request.json["message"] for call in operation.assert_called(times=2)] == ["one", "two"]
    assert [call.request.json["message"] for call in operation.assert_accepted(times=1)] == ["one"]
    assert operation.assert_called_once(answer="unauthorized").request.json["message"] == "two"
    assert [call.accepted for call in operation.calls] == [True, False]
    assert "expected exactly 2 accepted call(s), found 1" in failure(operation.assert_accepted, times=2)


def test_refused_is_what_the_vendor_did_not_take(account: Account) -> None:
    """All refusals, or those with one answer; exactly so many, and accepted calls do not count."""
    send(account.polyai, "one")
    send(account.polyai, "two", key="")
    send(account.polyai, "three", to="5")
    for side in (account, account.polyai, account.polyai.send_sms):
        assert [call.request.json["message"] for call in side.assert_refused(times=2)] == ["two", "three"]
        (call,) = side.assert_refused(answer="unauthorized", times=1)
        assert call.request.json["message"] == "two"
        assert side.assert_accepted_once().request.json["message"] == "one"
        with pytest.raises(ControlError, match="that answer means accepted"):
            side.assert_refused(answer="sent", times=0)
    assert "expected at least 1 refused call(s), found 0" in failure(account.avaamo.assert_refused)
    send(account.polyai, "four")
    assert "polyai: expected exactly 1 accepted call(s), found 2" in failure(account.polyai.assert_accepted_once)


def test_a_vendor_speaks_for_its_operations(account: Account) -> None:
    """Its calls are those of all its operations, and of no other vendor."""
    send(account.polyai)
    assert account.polyai.assert_called_once() == account.polyai.send_sms.calls[0]
    account.avaamo.assert_not_called()
    assert account.polyai.verify(at_most=0).verified is False
    assert "avaamo: expected at least 1 call(s), found 0" in failure(account.avaamo.assert_called)


def test_a_form_is_no_json(account: Account) -> None:
    """``json`` and ``form`` fit one kind of body each, ``body`` either; values may compare themselves."""
    polyai, voximplant = account.polyai, account.voximplant
    send(polyai, "Hi")
    fields = {"source": voximplant.owned["numbers"][0]["number"], "destination": "447700900222", "sms_body": "Hi"}
    headers = {"Authorization": f"Bearer {voximplant.tokens['Jwt']}"}
    requests.post(f"{voximplant.url}/platform_api/SendSmsMessage", data=fields, headers=headers, timeout=10)
    for side, name, other, member in ((polyai, "json", "form", "message"), (voximplant, "form", "json", "sms_body")):
        for value in ("Hi", IsStr(regex="H.")):
            for part in (name, "body"):
                side.assert_called_once(**{part: {member: value}})  # type: ignore[arg-type]  # a part's name
            with pytest.warns(MockServerWarning, match=f"is read as {other}; its body is read as {name}: ask {name}="):
                side.assert_not_called(**{other: {member: value}})  # type: ignore[arg-type]  # as above
    assert "/form: expected" in failure(polyai.assert_called, form={"message": "Hi"})
    assert '/json/message: expected "Ho", found "Hi"' in failure(polyai.assert_called, json={"message": "Ho"})
    with pytest.raises(ControlError, match="a form's values are texts"):
        polyai.assert_called(form={"n": 1})


@pytest.mark.parametrize(
    ("json", "expected"),
    [
        ({"meta": {"id": ANY, "kind": "x"}}, "/json/meta: expected {'id': <ANY>, 'kind': 'x'}, found nothing"),
        ({"message": "Hi", "meta": ANY}, "/json/meta: expected <ANY>, found nothing"),
        ({"message": "Ho", "meta": ANY}, '/json/message: expected "Ho", found "Hi"'),
    ],
)
def test_a_failure_has_one_headline(account: Account, json: Any, expected: str) -> None:
    """Whatever is compared here and what there, the headline stands once, and the difference below it."""
    send(account.polyai, "Hi")
    message = failure(account.polyai.assert_accepted, json=json)
    assert message.count("expected at least 1 accepted call(s)") == 1
    assert expected in message


def test_an_account_speaks_for_all_its_vendors(account: Account) -> None:
    """Who was sent to is asked without naming the vendor, in whatever way the number is written."""
    send(account.polyai)
    account.assert_accepted(recipient="1 (415) 555-0123", times=1)
    assert account.assert_called_once(recipient=TO).operation == "polyai.send_sms"
    account.avaamo.send_sms.assert_not_called()
    assert "expected exactly 0 call(s), found 1" in failure(account.assert_not_called)


def test_no_account_sees_anothers_calls(server: MockServer, account: Account) -> None:
    """A call of one account is nothing to another."""
    with server.account() as other:
        send(other.polyai)
        account.assert_not_called()
        assert account.calls == []
        assert len(other.calls) == 1


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({"body": {"message": "Hi"}}, id="plain"),
        pytest.param({"body": {"message": ANY, "user_number": TO}}, id="ANY beside plain"),
        pytest.param({"body": {"message": IsStr(regex="H.")}, "path": "/v1/outbound-sms"}, id="dirty-equals"),
        pytest.param({"headers": {"X-Token-ID": ANY}}, id="a header"),
        pytest.param({"when": {"/body/message": {"maxLength": 2}, "/body/agent_number": False}}, id="schemas"),
        pytest.param({"recipient": IsStr(regex=r"\+1.*"), "answer": "sent"}, id="outer parts"),
    ],
)
def test_one_of_two_calls_is_meant(account: Account, where: dict[str, Any]) -> None:
    """Each way of saying which call finds the one, and nothing in the journal of a quiet operation."""
    send(account.polyai, "Hello", to="15005550199", agent_number="+12065550100")
    send(account.polyai, "Hi")
    if "body" not in where and "when" not in where and "answer" not in where:
        account.polyai.send_sms.assert_called(times=2, **where)
    else:
        assert account.polyai.send_sms.assert_called_once(**where).request.json["message"] == "Hi"
    elsewhere = {name: value for name, value in where.items() if name != "path"}  # a path that it has not is refused
    account.avaamo.send_sms.assert_not_called(**elsewhere)


def test_secrets_match_unmasked(account: Account) -> None:
    """A credential is compared with what was sent, though it is never shown."""
    send(account.polyai)
    key = account.polyai.credentials["api_key"]
    call = account.polyai.send_sms.assert_called_once(headers={"X-PolyAi-Auth-Token": key})
    assert key not in str(call.data)


@pytest.mark.parametrize("wrap", [str, IsOneOf, lambda key: IsOneOf(key, "other"), lambda _: ANY], ids=range(4))
def test_whoever_compares_sees_what_was_sent(account: Account, wrap: Any) -> None:
    """A text, and an object with an == of its own: both meet the credential itself, neither shows it."""
    send(account.polyai)
    key = account.polyai.credentials["api_key"]
    operation = account.polyai.send_sms
    call = operation.assert_called_once(headers={"X-PolyAi-Auth-Token": wrap(key), "X-Token-ID": IsStr()})
    assert key not in str(call.data)
    text = failure(
        operation.assert_called, headers={"X-PolyAi-Auth-Token": wrap(key)}, body={"message": IsStr(regex="x")}
    )
    assert key not in text


def test_a_credential_in_an_objects_own_words_is_masked(account: Account) -> None:
    """The failure of a comparison with a credential shows which one by its mask, and nothing of it in clear."""
    key = account.polyai.credentials["api_key"]
    send(account.polyai)
    headers = {"X-PolyAi-Auth-Token": IsOneOf(f"{key}!", "other")}
    text = failure(account.polyai.send_sms.assert_called, headers=headers)
    assert key not in text
    masked = re.search(r"expected IsOneOf\('(\*\*\*\w{8})!', 'other'\), found \"(.*)\"", text)
    assert masked is not None
    assert masked[1] == masked[2]


@pytest.mark.parametrize("wrap", [str, IsOneOf], ids=["plain", "compared in Python"])
def test_texts_that_look_alike_are_told_apart(account: Account, wrap: Any) -> None:
    """A no-break space in an SMS is written so that it is seen, whoever compared."""
    send(account.polyai, "See you at 2\u202fPM")
    text = failure(account.polyai.send_sms.assert_called, body={"message": wrap("See you at 2 PM")})
    assert r'found "See you at 2\u202fPM"' in text
    assert ("(first difference at index 12)" in text) is (wrap is str)


def test_the_nearest_call_is_shown_with_its_differences(account: Account) -> None:
    """The failure counts, shows the call that was nearest, and where it differs."""
    send(account.polyai, "Hi")
    text = failure(account.polyai.send_sms.assert_accepted, body={"message": "Bye", "user_number": TO})
    assert "expected at least 1 accepted call(s), found 0" in text
    assert '/body/message: expected "Bye", found "Hi"' in text


def test_differences_found_in_python_have_the_same_form(account: Account) -> None:
    """What only Python can compare is told as the server tells the rest."""
    send(account.polyai, "Hi", key="")
    text = failure(account.polyai.send_sms.assert_called, body={"message": IsStr(regex="B.*")})
    assert "expected at least 1 call(s), found 0 (1 fit the plain parts)" in text
    assert "/body/message: expected IsStr(regex='B.*'), found \"Hi\"" in text
    assert "refused: unauthenticated absent /header/x-polyai-auth-token: " in text


def test_a_forgotten_header_is_named_and_its_value(account: Account) -> None:
    """The client that forgets its credential sees the vendor's 401; the test's failure says what it lacks."""
    assert send(account.polyai, key="") == 401
    text = failure(account.polyai.send_sms.assert_accepted)
    assert "refused: unauthenticated absent /header/x-polyai-auth-token" in text
    assert 'the right header x-polyai-auth-token: the account\'s polyai.tokens["ApiKey"]' in text


def test_credentials_read_at_import_are_explained(account: Account) -> None:
    """Calls that went to the built-in account since this one was made are told, with what they carried."""
    send(account.polyai, key="polyai-default-api-key-0000000000000001a")
    for where in ({}, {"body": {"message": ANY}}):
        text = failure(account.polyai.send_sms.assert_accepted, **where)
        assert "to the built-in account default, carrying header x-polyai-auth-token " in text
        assert "Were the credentials read before the account was made (at import, say)?" in text
        assert "polyai-default-api-key" not in text


@pytest.mark.parametrize("where", [{}, {"body": {"message": ANY}}], ids=["plain", "compared in Python"])
def test_a_call_from_the_background_is_awaited(account: Account, where: Any) -> None:
    """A thread sends half a second later; the assertion waits for it."""
    thread = threading.Timer(0.5, send, [account.polyai])
    thread.start()
    account.polyai.send_sms.assert_accepted(within=20, **where)
    thread.join()


@pytest.mark.parametrize("message", ["Bye", IsStr(regex="Bye")], ids=["plain", "compared in Python"])
def test_a_call_that_never_comes_fails_with_what_came(account: Account, message: Any) -> None:
    """The wait ends by itself, and the nearest miss is shown."""
    send(account.polyai, "Hi")
    text = failure(account.polyai.send_sms.assert_accepted, within=0.1, body={"message": message})
    assert "expected at least 1 accepted call(s), found 0" in text
    assert re.search('/body/message: expected .*Bye.*, found "Hi"', text)


@pytest.mark.parametrize("where", [{}, {"body": {"message": ANY}}], ids=["plain", "compared in Python"])
def test_a_duplicate_shortly_after_is_caught(account: Account, where: Any) -> None:
    """While settling, one call too many ends the wait; none ends it well."""
    send(account.polyai, "Hi")
    account.polyai.send_sms.assert_called_once(settle=0.05, **where)
    thread = threading.Timer(0.1, send, [account.polyai])
    thread.start()
    assert "found 2" in failure(account.polyai.send_sms.assert_called_once, settle=20, **where)
    thread.join()
    account.avaamo.send_sms.assert_not_called(settle=0.05, **where)


@pytest.mark.parametrize(
    ("name", "wait"),
    [
        ("assert_accepted", {"within": 1}),
        ("assert_called", {"settle": 1}),
        ("assert_called_once", {"within": 1}),
        ("assert_not_called", {"settle": 1}),
        ("verify", {"within": 1}),
    ],
)
def test_a_running_loop_is_not_blocked(account: Account, name: str, wait: dict[str, float]) -> None:
    """A sync wait in an event loop raises at once and names the async form; without a wait it is allowed."""

    async def code() -> None:
        with pytest.raises(RuntimeError, match=rf"{name} .*would block.*await async_mock_vendors.*AsyncMockServer"):
            getattr(account.polyai.send_sms, name)(**wait)
        account.polyai.send_sms.assert_not_called()

    asyncio.run(code())


def test_a_mistyped_name_is_told_at_once(account: Account) -> None:
    """An unknown keyword is no pattern that never fits, but a TypeError with the known ones."""
    with pytest.raises(
        TypeError, match="bodi cannot be asked of a call; known: path, query, headers, body, json, form, when"
    ):
        account.polyai.send_sms.assert_called(bodi={})  # type: ignore[call-arg]  # the mistake itself


def test_a_bad_schema_is_told(account: Account) -> None:
    """What the server cannot read is no failed assertion."""
    with pytest.raises(ControlError, match="not a JSON Schema"):
        account.polyai.send_sms.assert_called(when={"/body": {"type": "nothing"}})


def test_verify_gives_the_verdict_as_data(account: Account) -> None:
    """Bounds, matched calls, nearest calls and message, nothing raised."""
    send(account.polyai, "Hi")
    operation = account.polyai.send_sms
    assert operation.verify().verified is True
    assert operation.verify(at_most=0).verified is False
    assert operation.verify(at_least=1, at_most=1, accepted=True).matched == 1
    assert operation.verify(since="2999-01-01T00:00:00Z", at_least=0).calls == ()
    found = operation.verify(body={"message": "Bye"})
    assert (found.verified, found.matched, found.evicted, found.calls) == (False, 0, 0, ())
    (miss,) = found.nearest
    assert (miss.differences[0].pointer, miss.differences[0].found) == ("/body/message", "Hi")
    assert "expected at least 1 call(s), found 0" in found.message
