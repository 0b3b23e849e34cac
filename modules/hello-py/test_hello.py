import pytest
from croft.testing import Trial

from hello import hello


def test_the_seal_waits_for_the_card():
    first = Trial(hello, {"name": "ada"}).render()
    assert first.blocked("seal") == "`metadata.uid` of `card` is not there yet"
    assert first.status == {} and not first.is_ready


def test_both_children_are_there_in_the_end():
    end = Trial(hello, {"name": "ada"}).converge()
    assert end.child("card") == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "ada-card"},
        "data": {"message": "Hello, ada!", "language": "English"},
    }
    assert end.child("seal")["stringData"] == {"signature": "sealed on card uid-of-card"}
    assert end.status == {"message": "Hello, ada!"} and end.is_ready


@pytest.mark.parametrize(
    "words, language",
    [("Merhaba", "Turkish"), (" GRÜß GOTT ", "German"), ("GRÜSS GOTT", "unknown"), ("xyzzy", "unknown")],
)
def test_the_greeting_of_the_instance_decides_the_language(words, language):
    end = Trial(hello, {"name": "ada", "greeting": words}).converge()
    assert end.child("card")["data"]["language"] == language


@pytest.mark.parametrize("name", ["Ada", "", "-ada", "a b", "a\n"])
def test_a_name_that_no_object_can_have_is_refused_with_its_place(name):
    problem = Trial(hello, {"name": name}).problems()[0]
    assert (problem.code, problem.at) == ("InvalidName", "/spec/name")


def test_a_spec_of_another_form_is_refused_with_its_place():
    missing = Trial(hello, {}).problems()[0]
    assert (missing.code, missing.at, missing.message) == ("MissingField", "/spec", "`name` is required")
    wrong = Trial(hello, {"name": 3}).problems()[0]
    assert (wrong.at, wrong.hint) == ("/spec/name", "`kubectl explain greetings.spec.name` says what it takes")
