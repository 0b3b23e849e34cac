"""The smallest composition module, in Python: one kind, `Greeting`, with a card and a seal.

It answers the same as modules/hello: the fixtures beside that one are this one's too.
"""

import re
from typing import Dict, Optional

import croft
from pydantic import Field

from language import language_of


class GreetingSpec(croft.Model):
    name: str = Field(..., description="Who is greeted. It is part of the names of the children.")
    greeting: str = Field("Hello", description="What to greet with.")


class GreetingStatus(croft.Model):
    message: Optional[str] = Field(None, description="What the card says.")


class ConfigMap(croft.Object, api_version="v1", kind="ConfigMap"):
    data: Optional[Dict[str, str]] = None


class Secret(croft.Object, api_version="v1", kind="Secret"):
    string_data: Optional[Dict[str, str]] = None


Greeting = croft.Api(
    group="kro.run",
    version="v1alpha1",
    kind="Greeting",
    description="Somebody to greet, with a card and a seal.",
    spec=GreetingSpec,
    status=GreetingStatus,
)


@croft.composition(Greeting)
def hello(plan: croft.Plan):
    card = plan.child("card", ConfigMap)
    seal = plan.child("seal", Secret).after(card)

    def render(greeting: croft.Instance[GreetingSpec], cx: croft.Context) -> None:
        name, words = greeting.spec.name, greeting.spec.greeting
        check(name)
        data = {"message": f"{words}, {name}!", "language": language_of(words)}
        cx.child(card, ConfigMap(metadata={"name": f"{name}-card"}, data=data))

        written = cx.observed(card)
        if written is not None:
            cx.status(GreetingStatus(message=(written.data or {}).get("message")))

        # The seal needs what only a server gives: until then, it waits.
        uid = cx.wait(card, "metadata.uid")
        signature = {"signature": f"sealed on card {uid}"}
        cx.child(seal, Secret(metadata={"name": f"{name}-seal"}, string_data=signature))

    return render


def check(name: str) -> None:
    """Refuses a name that cannot be part of an object's."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise croft.Invalid(
            "spec.name",
            f"`{name}` cannot be part of an object's name",
            code="InvalidName",
            hint="write a name of lower-case letters, digits and `-`, such as `ada`",
        )
