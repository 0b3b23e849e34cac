"""{{Kind}}: what users write, and what comes of it."""

from typing import Dict, Optional

import croft
from pydantic import Field


class {{Kind}}Spec(croft.Model):
    """What users write. Its fields and their descriptions are the API."""

    message: str = Field(..., description="What is said.")
    times: int = Field(1, ge=1, le=10, description="How often it is said.")


class {{Kind}}Status(croft.Model):
    text: Optional[str] = Field(None, description="What the text says by now.")


class ConfigMap(croft.Object, api_version="v1", kind="ConfigMap"):
    data: Optional[Dict[str, str]] = None


{{Kind}} = croft.Api(
    group="{{group}}",
    version="v1alpha1",
    kind="{{Kind}}",
    description="Something to say.",
    spec={{Kind}}Spec,
    status={{Kind}}Status,
)


@croft.composition({{Kind}})
def module(plan: croft.Plan):
    text = plan.child("text", ConfigMap)

    def render(instance: croft.Instance[{{Kind}}Spec], cx: croft.Context) -> None:
        message, times = instance.spec.message, instance.spec.times
        if not message.strip():
            raise croft.Invalid(
                "spec.message",
                "there is nothing to say",
                code="EmptyMessage",
                hint="write a word, such as `Hello`",
            )
        said = " ".join([message] * times)
        cx.child(text, ConfigMap(metadata={"name": instance.name}, data={"text": said}))

        # What a server has of it by now: nothing at first.
        written = cx.observed(text)
        if written is not None:
            cx.status({{Kind}}Status(text=(written.data or {}).get("text")))

    return render
