"""Kinds, and the models that say of which kind their objects are."""

from typing import Any, ClassVar, Dict, NamedTuple, Optional, Type, Union

from pydantic import BaseModel, Extra

from .contract import Gvk, Json


class Kind(NamedTuple):
    """A kind with its scope, for objects that are dictionaries."""

    gvk: Gvk
    namespaced: bool


def namespaced(api_version: str, kind: str) -> Kind:
    """A kind whose objects live in a namespace: `namespaced("gateway.networking.k8s.io/v1", "HTTPRoute")`."""
    return Kind(gvk(api_version, kind), True)


def cluster_scoped(api_version: str, kind: str) -> Kind:
    """A kind whose objects live in none."""
    return Kind(gvk(api_version, kind), False)


def gvk(api_version: str, kind: str) -> Gvk:
    group, _, version = api_version.rpartition("/")
    return Gvk(group, version, kind)


def camel(name: str) -> str:
    """`string_data` as Kubernetes writes it, `stringData`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


# Not a docstring: pydantic would make it the description of every model that has none.
# A model whose fields are written as in Python here and as in Kubernetes in JSON:
# `string_data` is `stringData`.
class Model(BaseModel):
    class Config:
        alias_generator = camel
        allow_population_by_field_name = True


class Metadata(Model):
    """What is most used of an object's metadata; the rest is kept."""

    name: Optional[str] = None
    namespace: Optional[str] = None
    uid: Optional[str] = None
    labels: Optional[Dict[str, str]] = None
    annotations: Optional[Dict[str, str]] = None

    class Config:
        extra = Extra.allow


class Object(Model):
    """An object of a kind, as a model: `class ConfigMap(Object, api_version="v1", kind="ConfigMap")`. Fields
    that it does not declare are kept."""

    croft_kind: ClassVar[Optional[Kind]] = None
    metadata: Metadata = Metadata()

    class Config:
        extra = Extra.allow

    def __init_subclass__(cls, api_version: str = "", kind: str = "", namespaced: bool = True, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if kind:
            cls.croft_kind = Kind(gvk(api_version, kind), namespaced)


Typed = Union[Kind, Type[Object]]


def written(value: Any) -> Any:
    """What JSON has of a value. Fields of models that nobody has set are left out."""
    if isinstance(value, BaseModel):
        return written(value.dict(by_alias=True, exclude_none=True))
    if isinstance(value, dict):
        return {str(name): written(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(inner) for inner in value]
    return value


def live(model: Optional[Type[Object]], value: Json) -> Any:
    """An object as its model, or as it is."""
    return value if model is None else model.parse_obj(value)
