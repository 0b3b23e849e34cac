"""The API of a module: the CRD of its models, with what croft asks of it checked, so that the module's author sees
here what a server would refuse later.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Dict, Generic, List, Optional, Tuple, Type, TypeVar

from pydantic import BaseModel

from .contract import Gvk, Json, ServedApi
from .halt import Invalid
from .kind import gvk
from .schema import schema_of

Spec = TypeVar("Spec", bound=BaseModel)


@dataclass
class Api(Generic[Spec]):
    """An API: `spec` and `status` are models of its instances."""

    group: str
    version: str
    kind: str
    spec: Type[Spec]
    status: Optional[Type[BaseModel]] = None
    plural: str = ""
    """The resource name in URLs; without, the kind in lower case with an `s`."""
    namespaced: bool = True
    short_names: Tuple[str, ...] = ()
    description: str = ""
    """What `kubectl explain` says of it."""
    columns: Tuple[Json, ...] = ()
    """As in a CRD's `additionalPrinterColumns`; without, the state, whether it is ready, and the age."""

    def __post_init__(self) -> None:
        self.plural = self.plural or _plural(self.kind)

    @property
    def gvk(self) -> Gvk:
        return Gvk(self.group, self.version, self.kind)

    def served(self, faults: List[str]) -> ServedApi:
        """What croft is told of it; what is wrong with it is added to `faults`."""
        properties = {"spec": schema_of(self.spec, "spec", faults)}
        if self.status is not None:
            properties["status"] = schema_of(self.status, "status", faults)
            faults.extend(_own_fields(properties["status"]))
        schema: Json = {"type": "object", "properties": properties, "required": ["spec"]}
        if self.description:
            schema["description"] = self.description
        names: Json = {
            "kind": self.kind,
            "listKind": f"{self.kind}List",
            "plural": self.plural,
            "singular": self.kind.lower(),
        }
        if self.short_names:
            names["shortNames"] = list(self.short_names)
        version = {
            "name": self.version,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
            "additionalPrinterColumns": list(self.columns or _COLUMNS),
        }
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{self.plural}.{self.group}"},
            "spec": {
                "group": self.group,
                "names": names,
                "scope": "Namespaced" if self.namespaced else "Cluster",
                "versions": [version],
            },
        }
        return ServedApi(self.gvk, self.plural, self.namespaced, crd)


class Instance(Generic[Spec]):
    """An instance as a render gets it: its `spec` is the model's, with defaults."""

    def __init__(self, object: Json, spec: Spec):
        self.object = object
        self.spec = spec
        self.metadata: Dict[str, Any] = object.get("metadata") or {}

    @property
    def name(self) -> str:
        return self.metadata.get("name", "")

    @property
    def namespace(self) -> str:
        return self.metadata.get("namespace", "")


# The columns of every other API of croft's.
_COLUMNS = (
    {"name": "State", "description": "What the instance is at", "jsonPath": ".status.state", "type": "string"},
    {
        "name": "Ready",
        "description": "Whether its children are there and ready",
        "jsonPath": '.status.conditions[?(@.type=="Ready")].status',
        "type": "string",
    },
    {"name": "Age", "description": "Age of the resource", "jsonPath": ".metadata.creationTimestamp", "type": "date"},
)


def _plural(kind: str) -> str:
    name = kind.lower()
    if re.search(r"(s|x|z|ch|sh)$", name):
        return f"{name}es"
    return f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else f"{name}s"


def _own_fields(status: Json) -> List[str]:
    """The host writes these fields of the status."""
    fields, faults = status.get("properties", {}), []
    if "croft" in fields:
        faults.append("the status has a field `croft`, which croft keeps its record in: give it another name")
    for field, wanted in (("state", "string"), ("conditions", "array")):
        found = fields.get(field, {}).get("type", wanted)
        if found != wanted:
            faults.append(
                f"the status has a field `{field}` of type {found}, and croft writes one of type {wanted} there: "
                "leave it out, or give it another name"
            )
    return faults


def check_definition(definition: Json, api: Gvk) -> None:
    """Refuses a definition that is for something else than the API that the module serves.

    The code is the definition, so little is read: a `Composition` says nothing of the API, and the other kinds say
    which one they are for.
    """
    kind = gvk(str(definition.get("apiVersion", "")), str(definition.get("kind", "")))
    if (kind.group, kind.kind) == ("croft.run", "Composition"):
        return
    if kind.group != "kro.run" or kind.kind not in ("ResourceGroup", "ResourceGraphDefinition"):
        raise Invalid(
            "kind",
            "the module does not read definitions of this kind",
            code="UnsupportedKind",
            hint="write `apiVersion: croft.run/v1alpha1` and `kind: Composition`",
        )
    schema = (definition.get("spec") or {}).get("schema") or {}
    for field, wanted in (("kind", api.kind), ("apiVersion", api.version)):
        found = schema.get(field)
        if found != wanted:
            message = f"the module serves the {field} `{wanted}`, the definition has {json.dumps(found)}"
            hint = f"write `{field}: {wanted}`, or a `Composition`"
            raise Invalid(f"spec.schema.{field}", message, code="WrongApi", hint=hint)
