//! The static types of expressions, as cel-go has them, and when one may stand
//! for another.
//!
//! The rules of assignability are those of cel-go's checker; how an OpenAPI
//! schema becomes a type is in `openapi`.

use std::{fmt, rc::Rc};

use serde_json::Value;

use crate::openapi;

/// A type. `'s` is the life of the OpenAPI schemas behind objects.
#[derive(Clone, Debug)]
pub enum Type<'s> {
    /// Known only when it is evaluated.
    Dyn,
    /// Of something that is wrong already.
    Error,
    /// `null`.
    Null,
    /// `bool`.
    Bool,
    /// `int`, 64 bits.
    Int,
    /// `uint`, 64 bits.
    Uint,
    /// `double`.
    Double,
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// `google.protobuf.Duration`.
    Duration,
    /// `google.protobuf.Timestamp`.
    Timestamp,
    /// `list(T)`.
    List(Rc<Type<'s>>),
    /// `map(K, V)`.
    Map(Rc<(Type<'s>, Type<'s>)>),
    /// `optional_type(T)`.
    Optional(Rc<Type<'s>>),
    /// `type(T)`: of a type used as a value.
    Meta(Rc<Type<'s>>),
    /// A library's type, such as `kubernetes.Quantity`.
    Opaque(&'static str),
    /// An object with the fields of a schema.
    Object(Object<'s>),
    /// A type that is still to be found out.
    Var(u32),
}

/// An object type: its fields are made into types when somebody asks.
#[derive(Clone, Debug)]
pub struct Object<'s> {
    /// Its name, such as `__type_schema.spec`.
    pub name: Rc<str>,
    /// Its OpenAPI schema.
    pub schema: &'s Value,
}

impl<'s> Object<'s> {
    /// The type of a field, if the object has it.
    pub fn field(&self, name: &str) -> Option<Type<'s>> {
        match self.schema.get("properties").and_then(|properties| properties.get(name)) {
            Some(schema) => Some(openapi::type_of(schema, &format!("{}.{name}", self.name))),
            // Fields that are known beside others that are not.
            None => (self.schema.get("additionalProperties") == Some(&Value::Bool(true))).then_some(Type::Dyn),
        }
    }

    /// The names of its fields.
    pub fn fields(&self) -> Vec<&'s str> {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }
}

impl<'s> Type<'s> {
    /// `list(element)`.
    pub fn list(element: Type<'s>) -> Type<'s> {
        Type::List(Rc::new(element))
    }

    /// `map(key, value)`.
    pub fn map(key: Type<'s>, value: Type<'s>) -> Type<'s> {
        Type::Map(Rc::new((key, value)))
    }

    /// `optional_type(value)`.
    pub fn optional(value: Type<'s>) -> Type<'s> {
        Type::Optional(Rc::new(value))
    }

    /// Whether it says nothing.
    pub fn is_dyn_or_error(&self) -> bool {
        matches!(self, Type::Dyn | Type::Error)
    }

    /// Whether two types are the same.
    pub fn is_exactly(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::List(one), Type::List(two)) | (Type::Optional(one), Type::Optional(two)) => one.is_exactly(two),
            (Type::Meta(one), Type::Meta(two)) => one.is_exactly(two),
            (Type::Map(one), Type::Map(two)) => one.0.is_exactly(&two.0) && one.1.is_exactly(&two.1),
            (Type::Opaque(one), Type::Opaque(two)) => one == two,
            (Type::Object(one), Type::Object(two)) => one.name == two.name,
            (Type::Var(one), Type::Var(two)) => one == two,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// As cel-go prints types in messages.
impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Error => f.write_str("!error!"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::Text => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Duration => f.write_str("google.protobuf.Duration"),
            Type::Timestamp => f.write_str("google.protobuf.Timestamp"),
            Type::List(element) => write!(f, "list({element})"),
            Type::Map(parts) => write!(f, "map({}, {})", parts.0, parts.1),
            Type::Optional(value) => write!(f, "optional_type({value})"),
            Type::Meta(of) => write!(f, "type({of})"),
            Type::Opaque(name) => f.write_str(name),
            Type::Object(object) => f.write_str(&object.name),
            Type::Var(index) => write!(f, "_var{index}"),
        }
    }
}

/// What has been found out about type variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings<'s> {
    known: Vec<Option<Type<'s>>>,
    /// What was known of the variables before each change, to take it back.
    before: Vec<(u32, Option<Type<'s>>)>,
}

impl<'s> Bindings<'s> {
    /// A type that is still to be found out.
    pub(crate) fn fresh(&mut self) -> Type<'s> {
        self.known.push(None);
        // No expression has as many nodes.
        Type::Var(u32::try_from(self.known.len() - 1).unwrap_or(u32::MAX))
    }

    fn find(&self, variable: u32) -> Option<&Type<'s>> {
        self.known.get(variable as usize).and_then(Option::as_ref)
    }

    fn bind(&mut self, variable: u32, to: Type<'s>) {
        if let Some(slot) = self.known.get_mut(variable as usize) {
            self.before.push((variable, slot.replace(to)));
        }
    }

    /// The type with every variable that is known replaced; with `close`, the
    /// others are `dyn`.
    pub(crate) fn resolve(&self, of: &Type<'s>, close: bool) -> Type<'s> {
        match of {
            Type::Var(variable) => match self.find(*variable) {
                Some(known) => self.resolve(known, close),
                None if close => Type::Dyn,
                None => of.clone(),
            },
            Type::List(element) => Type::list(self.resolve(element, close)),
            Type::Map(parts) => Type::map(self.resolve(&parts.0, close), self.resolve(&parts.1, close)),
            Type::Optional(value) => Type::optional(self.resolve(value, close)),
            Type::Meta(of) => Type::Meta(Rc::new(self.resolve(of, close))),
            _ => of.clone(),
        }
    }

    /// Whether a value of type `given` may stand where `wanted` is expected. What
    /// is found out on the way is kept if so.
    pub(crate) fn assign(&mut self, given: &Type<'s>, wanted: &Type<'s>) -> bool {
        self.assign_all(std::slice::from_ref(given), std::slice::from_ref(wanted))
    }

    /// The same for several at once: all or none.
    pub(crate) fn assign_all(&mut self, given: &[Type<'s>], wanted: &[Type<'s>]) -> bool {
        if given.len() != wanted.len() {
            return false;
        }
        let changes = self.before.len();
        let fits = given.iter().zip(wanted).all(|(given, wanted)| self.fits(given, wanted));
        if !fits {
            self.undo(changes);
        }
        fits
    }

    /// Takes back all changes but the first ones.
    fn undo(&mut self, keep: usize) {
        for (variable, known) in self.before.drain(keep..).rev() {
            if let Some(slot) = self.known.get_mut(variable as usize) {
                *slot = known;
            }
        }
    }

    fn fits(&mut self, one: &Type<'s>, two: &Type<'s>) -> bool {
        if let Type::Var(variable) = two {
            let (valid, known) = self.substitutes(one, *variable);
            if valid || known {
                return valid;
            }
        }
        if let Type::Var(variable) = one {
            return self.substitutes(two, *variable).0;
        }
        match (one, two) {
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) => true,
            (Type::Null, other) | (other, Type::Null) => is_nullable(other),
            (Type::List(one), Type::List(two)) | (Type::Optional(one), Type::Optional(two)) => self.fits(one, two),
            (Type::Map(one), Type::Map(two)) => self.fits(&one.0, &two.0) && self.fits(&one.1, &two.1),
            (Type::Meta(_), Type::Meta(_)) => true,
            _ => one.is_exactly(two),
        }
    }

    /// Whether `of` may stand for a variable, and whether something stood for
    /// it before.
    fn substitutes(&mut self, of: &Type<'s>, variable: u32) -> (bool, bool) {
        if matches!(of, Type::Var(other) if *other == variable) {
            return (true, true);
        }
        if let Some(known) = self.find(variable).cloned() {
            if of.is_exactly(&known) {
                return (true, true);
            }
            if !self.fits(of, &known) {
                return (false, true);
            }
            let general = most_general(of, &known);
            if !self.occurs(variable, &general) {
                self.bind(variable, general);
            }
            return (true, true);
        }
        if self.occurs(variable, of) {
            return (false, false);
        }
        self.bind(variable, of.clone());
        (true, false)
    }

    fn occurs(&self, variable: u32, within: &Type<'s>) -> bool {
        match within {
            Type::Var(other) if *other == variable => true,
            Type::Var(other) => self.find(*other).is_some_and(|known| self.occurs(variable, known)),
            Type::List(part) | Type::Optional(part) | Type::Meta(part) => self.occurs(variable, part),
            Type::Map(parts) => self.occurs(variable, &parts.0) || self.occurs(variable, &parts.1),
            _ => false,
        }
    }

    /// The type of an aggregate that has elements of both: the more general one,
    /// or `dyn` if they have nothing in common.
    pub(crate) fn join(&mut self, one: Option<Type<'s>>, two: Type<'s>) -> Type<'s> {
        match one {
            None => two,
            Some(one) if self.assign(&one, &two) => most_general(&one, &two),
            Some(_) => Type::Dyn,
        }
    }
}

/// cel-go's list of what `null` may stand for.
fn is_nullable(of: &Type) -> bool {
    matches!(of, Type::Null | Type::Opaque(_) | Type::Optional(_) | Type::Object(_) | Type::Duration | Type::Timestamp)
}

fn most_general<'s>(one: &Type<'s>, two: &Type<'s>) -> Type<'s> {
    if is_less_specific(one, two) { one.clone() } else { two.clone() }
}

fn is_less_specific(one: &Type, two: &Type) -> bool {
    match (one, two) {
        (Type::Dyn | Type::Error | Type::Var(_), _) => true,
        (other, Type::Null) => is_nullable(other),
        (_, Type::Dyn | Type::Error | Type::Var(_)) => false,
        (Type::List(one), Type::List(two)) | (Type::Optional(one), Type::Optional(two)) => is_less_specific(one, two),
        (Type::Map(one), Type::Map(two)) => is_less_specific(&one.0, &two.0) && is_less_specific(&one.1, &two.1),
        (Type::Meta(_), Type::Meta(_)) => true,
        _ => one.is_exactly(two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_stands_for_objects_and_not_for_scalars() {
        let mut bindings = Bindings::default();
        assert!(!bindings.assign(&Type::Null, &Type::Int));
        assert!(!bindings.assign(&Type::Null, &Type::list(Type::Int)));
        assert!(bindings.assign(&Type::Null, &Type::Timestamp));
    }

    #[test]
    fn a_variable_takes_the_more_general_type() {
        let mut bindings = Bindings::default();
        let variable = bindings.fresh();
        assert!(bindings.assign(&Type::Int, &variable));
        assert!(!bindings.assign(&Type::Text, &variable));
        assert!(bindings.assign(&Type::Dyn, &variable));
        assert!(bindings.resolve(&variable, true).is_exactly(&Type::Dyn));
    }

    #[test]
    fn a_variable_is_never_part_of_itself() {
        let mut bindings = Bindings::default();
        let variable = bindings.fresh();
        assert!(!bindings.assign(&Type::list(variable.clone()), &variable));
    }
}
