"""What the author of a composition module in Python depends on.

A module serves an API, whose type is a model of pydantic, and states the children of each instance. Kinds, rights,
the graph and its order follow from what it declares; what strays from it is refused with a message for the module's
author.

`croft-componentize` makes a component of a module. Without it a module is an ordinary object, which `croft.testing`
calls as croft would.
"""

from . import log
from .api import Api, Instance
from .composition import Composition, composition
from .context import Context
from .contract import Failure, Gvk, Module, Problem
from .halt import Excluded, Fault, Halt, Invalid, Waiting
from .kind import Kind, Metadata, Model, Object, cluster_scoped, namespaced
from .plan import Handle, Plan

__all__ = [
    "Api",
    "Composition",
    "Context",
    "Excluded",
    "Failure",
    "Fault",
    "Gvk",
    "Halt",
    "Handle",
    "Instance",
    "Invalid",
    "Kind",
    "Metadata",
    "Model",
    "Module",
    "Object",
    "Plan",
    "Problem",
    "Waiting",
    "cluster_scoped",
    "composition",
    "log",
    "namespaced",
]
