//! The functions that expressions may call: one row an overload, with its types
//! for the checker and what it does for the evaluator.
//!
//! A library is a module; which libraries an expression may use is for its
//! environment to say.

pub(crate) mod standard;
pub(crate) mod conversions;
pub(crate) mod times;
pub(crate) mod strings;
pub(crate) mod format;
pub(crate) mod lists;
pub(crate) mod optionals;
pub(crate) mod encoders;
pub(crate) mod math;
pub(crate) mod kubernetes;
pub(crate) mod kro;
pub(crate) mod sets;
pub(crate) mod named_formats;

use std::rc::Rc;

use crate::{
    code::Callee,
    eval::{Error, Machine},
    types::{Bindings, Type},
    value::Value,
};

/// What an overload does with its arguments, which it may take apart.
pub(crate) type Run = for<'v> fn(&Machine, &mut [Value<'v>]) -> Result<Value<'v>, Error>;

/// A type in a signature.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sig {
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    List(&'static Sig),
    Map(&'static Sig, &'static Sig),
    Optional(&'static Sig),
    Meta(&'static Sig),
    Opaque(&'static str),
    /// The same type wherever it stands in one signature.
    Param(usize),
}

/// One way to call a function.
pub(crate) struct Overload {
    pub(crate) params: &'static [Sig],
    pub(crate) result: Sig,
    pub(crate) run: Run,
}

/// A function, or a method if it has a receiver, which is the first parameter.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) member: bool,
    /// Whether it stands for an operator, such as `_==_`: it looks at the values itself.
    pub(crate) operator: bool,
    pub(crate) overloads: &'static [Overload],
}

/// A set of functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Operators, conversions, sizes, strings, timestamps: CEL itself.
    Standard,
    /// `charAt`, `format`, `split` and the like, up to version 2.
    Strings,
    /// `reverse` of a string, which is of version 3.
    Reversal,
    /// `cel.bind`, a macro: it has no functions.
    Bindings,
    /// `slice`, `flatten`, `distinct`, `first` and the like.
    Lists,
    /// `optional.of`, `orValue` and the like.
    Optionals,
    /// `base64.encode` and `base64.decode`.
    Encoders,
    /// `math.greatest` and the like, which kro does not have.
    Math,
    /// Kubernetes': lists, regular expressions, URLs, quantities, addresses,
    /// versions.
    Kubernetes,
    /// `semver` and `isSemver` with a second argument: whether to read `v1.2` too.
    TolerantVersions,
    /// `sets.contains` and the like.
    Sets,
    /// `format.named`, `format.uuid` and the like, and `validate`.
    NamedFormats,
    /// kro's own: `random`, maps, `json`, `hash`, `lists`, `omit`, `runtime`.
    Kro,
}

impl Library {
    /// What an expression in a kro definition may call.
    pub const OF_KRO: &'static [Library] = &[
        Library::Standard,
        Library::Strings,
        Library::Reversal,
        Library::Bindings,
        Library::Lists,
        Library::Optionals,
        Library::Encoders,
        Library::Kubernetes,
        Library::Kro,
    ];

    /// What a rule in a CRD may call, on an API server of Kubernetes 1.36. The
    /// functions of an `authorizer` are left out, since a CRD has no such variable.
    pub const OF_SERVER: &'static [Library] = &[
        Library::Standard,
        Library::Strings,
        Library::Lists,
        Library::Optionals,
        Library::Kubernetes,
        Library::TolerantVersions,
        Library::Sets,
        Library::NamedFormats,
    ];
}

/// All functions, in groups whose numbers are part of programs: a group is
/// added at the end.
const GROUPS: &[(Library, &[Function])] = &[
    (Library::Standard, standard::FUNCTIONS),
    (Library::Standard, conversions::FUNCTIONS),
    (Library::Standard, times::FUNCTIONS),
    (Library::Strings, strings::FUNCTIONS),
    (Library::Lists, lists::FUNCTIONS),
    (Library::Optionals, optionals::FUNCTIONS),
    (Library::Encoders, encoders::FUNCTIONS),
    (Library::Math, math::FUNCTIONS),
    (Library::Kubernetes, kubernetes::FUNCTIONS),
    (Library::Kro, kro::FUNCTIONS),
    (Library::Reversal, strings::reversal::FUNCTIONS),
    (Library::TolerantVersions, kubernetes::tolerant::FUNCTIONS),
    (Library::Sets, sets::FUNCTIONS),
    (Library::NamedFormats, named_formats::FUNCTIONS),
];

/// A function that a call may mean.
pub(crate) struct Found {
    pub(crate) library: u8,
    pub(crate) function: u8,
    pub(crate) declared: &'static Function,
}

/// Every function of that name and style in some libraries: two libraries may
/// add overloads to one name.
pub(crate) fn find(name: &str, member: bool, within: &[Library]) -> Vec<Found> {
    let mut found = Vec::new();
    for (group, (library, functions)) in GROUPS.iter().enumerate().filter(|(_, (library, _))| within.contains(library))
    {
        let _ = library;
        for (index, declared) in functions.iter().enumerate() {
            if declared.name == name && declared.member == member {
                // There are a dozen groups with at most 200 functions each.
                let number = |index: usize| u8::try_from(index).unwrap_or(u8::MAX);
                found.push(Found { library: number(group), function: number(index), declared });
            }
        }
    }
    found
}

/// Whether there is a function or method of that name.
pub(crate) fn is_known(name: &str, within: &[Library]) -> bool {
    names(within).any(|known| known == name)
}

/// Whether there is a function, not a method, of that full name.
pub fn is_function(name: &str, within: &[Library]) -> bool {
    !find(name, false, within).is_empty()
}

/// The names of all functions and methods.
pub fn names(within: &[Library]) -> impl Iterator<Item = &'static str> {
    let groups = GROUPS.iter().filter(move |(library, _)| within.contains(library));
    groups.flat_map(|(_, functions)| functions.iter().map(|function| function.name))
}

/// The function that a program calls.
pub(crate) fn function(callee: Callee) -> Option<&'static Function> {
    GROUPS.get(usize::from(callee.library))?.1.get(usize::from(callee.function))
}

impl Sig {
    /// The type, with type parameters as fresh variables.
    pub(crate) fn instantiate<'s>(self, bindings: &mut Bindings<'s>, params: &mut Vec<Option<Type<'s>>>) -> Type<'s> {
        match self {
            Sig::Dyn => Type::Dyn,
            Sig::Bool => Type::Bool,
            Sig::Int => Type::Int,
            Sig::Uint => Type::Uint,
            Sig::Double => Type::Double,
            Sig::Text => Type::Text,
            Sig::Bytes => Type::Bytes,
            Sig::Duration => Type::Duration,
            Sig::Timestamp => Type::Timestamp,
            Sig::Opaque(name) => Type::Opaque(name),
            Sig::List(element) => Type::list(element.instantiate(bindings, params)),
            Sig::Optional(value) => Type::optional(value.instantiate(bindings, params)),
            Sig::Meta(of) => Type::Meta(Rc::new(of.instantiate(bindings, params))),
            Sig::Map(key, value) => {
                let key = key.instantiate(bindings, params);
                Type::map(key, value.instantiate(bindings, params))
            }
            Sig::Param(index) => {
                if params.len() <= index {
                    params.resize(index + 1, None);
                }
                params[index].get_or_insert_with(|| bindings.fresh()).clone()
            }
        }
    }

    /// Whether a value is of the type, as far as a glance tells.
    pub(crate) fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Sig::Dyn | Sig::Param(_), _)
            | (Sig::Bool, Value::Bool(_))
            | (Sig::Int, Value::Int(_))
            | (Sig::Uint, Value::Uint(_))
            | (Sig::Double, Value::Double(_))
            | (Sig::Text, Value::Text(_))
            | (Sig::Bytes, Value::Bytes(_))
            | (Sig::Duration, Value::Duration(_))
            | (Sig::Timestamp, Value::Timestamp(_))
            | (Sig::List(_), Value::List(_))
            | (Sig::Map(..), Value::Map(_))
            | (Sig::Optional(_), Value::Optional(_))
            | (Sig::Meta(_), Value::Type(_)) => true,
            (Sig::Opaque(name), value) => value.type_name() == name,
            _ => false,
        }
    }
}

/// A function table: the rows of a library, without the ceremony.
/// Whether a function is called by an operator: those alone have `_` in their names.
pub(crate) const fn is_operator(name: &str) -> bool {
    let name = name.as_bytes();
    let mut at = 0;
    while at < name.len() {
        if name[at] == b'_' {
            return true;
        }
        at += 1;
    }
    false
}

macro_rules! functions {
    ($($style:ident $name:literal { $(($($param:expr),*) -> $result:expr => $run:expr),* $(,)? })*) => {
        /// What this library has.
        pub(crate) const FUNCTIONS: &[$crate::library::Function] = &[$($crate::library::Function {
            name: $name,
            member: functions!(@ $style),
            operator: $crate::library::is_operator($name),
            overloads: &[$($crate::library::Overload { params: &[$($param),*], result: $result, run: $run }),*],
        }),*];
    };
    (@ function) => { false };
    (@ method) => { true };
}
pub(crate) use functions;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_number_that_fits_and_an_overload() {
        for (library, functions) in GROUPS {
            assert!(functions.len() < 256, "{library:?}");
            for function in *functions {
                assert!(!function.overloads.is_empty() && function.overloads.len() < 256, "{}", function.name);
                assert!(function.overloads.iter().all(|overload| !function.member || !overload.params.is_empty()));
            }
        }
    }
}
