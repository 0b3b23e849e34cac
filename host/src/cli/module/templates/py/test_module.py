from croft.testing import Trial

from module import module


def test_the_message_is_said_as_often_as_asked():
    end = Trial(module, {"message": "Hello", "times": 2}).converge()
    assert end.child("text")["data"] == {"text": "Hello Hello"}
    assert end.status == {"text": "Hello Hello"} and end.is_ready


def test_an_empty_message_is_refused():
    problem = Trial(module, {"message": " "}).problems()[0]
    assert (problem.code, problem.at) == ("EmptyMessage", "/spec/message")
