import pytest

from dapr_hero.client import answers
from dapr_hero.client.answers import ClientError

ERROR = '{"type": "NOT_FOUND", "code": 404, "message": "there is no such item"}'


def test_a_body_of_a_success_is_returned() -> None:
    assert answers.accepted(200, "{}") == answers.accepted(204, "{}") == "{}"


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, ERROR, "404: there is no such item"),
        (401, ERROR, "the API token is wrong"),
        (502, "<html>", "502: not an answer of inventory: '<html>'"),
        (302, "", "302: not an answer of inventory"),
    ],
)
def test_any_other_answer_is_an_error(status: int, body: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        answers.accepted(status, body)


def test_the_text_of_an_error_that_may_hold_the_token_is_left_out() -> None:
    error = answers.missing("http://localhost", OSError("dapr-api-token: secret"))
    assert (
        str(error)
        == "inventory does not answer at http://localhost (OSError): is the platform up (make run)?"
    )
