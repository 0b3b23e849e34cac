//! Finds the type of an expression and lowers it to code, or says what is wrong
//! with it, in cel-go's words.
//!
//! Which variables an expression may see is for its environment to say.

mod calls;
mod folds;
mod variables;

use serde_json::Value as Json;

use crate::{
    code::Code,
    error::Issue,
    library::Library,
    openapi,
    syntax::{Entry, Kind, Node},
    types::{Bindings, Type},
};

pub use variables::Variables;

/// What an expression may use.
#[derive(Clone, Debug)]
pub struct Env<'s> {
    /// The variables and their types; a variable's number is its position.
    pub variables: Variables<'s>,
    /// The libraries.
    pub libraries: &'static [Library],
    /// Names are looked up in this namespace first; empty for none.
    pub container: String,
    /// Whether the names of types are values, as in `type(x) == int`. kro's
    /// environments with typed variables do not have them.
    pub type_values: bool,
    /// Whether fields whose name is a reserved word may be written `__in__`.
    pub escaped_fields: bool,
    /// Whether values come as they stand in the document, not read by their
    /// schema: an escaped name is then a type's, and no field's, as in kro.
    pub raw: bool,
    /// Whether what is wrong is left to be found when it is evaluated.
    pub lenient: bool,
    /// Whether numbers of different types have an order everywhere.
    pub orders_numbers: bool,
    /// Whether a literal has elements of one type, and what is a literal is looked at
    /// before it is evaluated: patterns, and texts that are to be converted.
    pub strict: bool,
}

impl Default for Env<'_> {
    fn default() -> Self {
        Env {
            variables: Variables::default(),
            libraries: Library::OF_KRO,
            container: String::new(),
            type_values: true,
            escaped_fields: false,
            raw: false,
            lenient: false,
            orders_numbers: false,
            strict: false,
        }
    }
}

impl<'s> Env<'s> {
    /// That of the rules of a CRD in an API server.
    pub fn of_server() -> Env<'s> {
        Env {
            libraries: Library::OF_SERVER,
            escaped_fields: true,
            orders_numbers: true,
            strict: true,
            ..Env::default()
        }
    }

    /// Adds a variable with the type of a schema, named as kro names it.
    pub fn declare(&mut self, name: &str, schema: &'s Json) {
        self.variables.push((name.to_owned(), openapi::type_of(schema, &format!("__type_{name}"))));
    }
}

/// An expression that makes sense.
#[derive(Debug)]
pub struct Checked<'n, 's> {
    /// Its type.
    pub of: Type<'s>,
    /// How to evaluate it.
    pub code: Code<'n>,
}

/// Checks an expression.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check<'n, 's>(source: &str, node: &'n Node, env: &Env<'s>) -> Result<Checked<'n, 's>, Vec<Issue>> {
    let mut checker = Checker {
        source,
        env,
        locals: Vec::new(),
        bindings: Bindings::default(),
        issues: Vec::new(),
        last_list: Vec::new(),
        mixes_numbers: env.orders_numbers,
        formats: false,
    };
    let (of, code) = checker.node(node);
    if checker.issues.is_empty() {
        Ok(Checked { of: checker.bindings.resolve(&of, true), code })
    } else {
        Err(checker.issues)
    }
}

struct Checker<'e, 's> {
    source: &'e str,
    env: &'e Env<'s>,
    locals: Vec<(String, Type<'s>)>,
    bindings: Bindings<'s>,
    issues: Vec<Issue>,
    /// The types of the elements of the list literal that was checked last.
    last_list: Vec<Type<'s>>,
    /// Whether numbers of different types have an order. For cel-go they have from
    /// the first macro on that binds a name, to the end of the expression.
    mixes_numbers: bool,
    /// Whether it is in a call of `format`, whose list may have elements of any types.
    formats: bool,
}

/// A type, and how to evaluate what has it.
type Typed<'n, 's> = (Type<'s>, Code<'n>);

impl<'s> Checker<'_, 's> {
    /// Notes what is wrong; the type and code of something that is.
    fn wrong<'n>(&mut self, at: u32, message: impl Into<String>) -> Typed<'n, 's> {
        if self.env.lenient {
            return (Type::Dyn, Code::Wrong);
        }
        self.issues.push(Issue::new(self.source, at as usize, message));
        (Type::Error, Code::Wrong)
    }

    /// The type of what cannot have one.
    fn failed(&self) -> Type<'s> {
        if self.env.lenient { Type::Dyn } else { Type::Error }
    }

    fn resolved(&self, of: &Type<'s>) -> Type<'s> {
        self.bindings.resolve(of, false)
    }

    /// A type in a message.
    fn shown(&self, of: &Type<'s>) -> String {
        let shown = self.bindings.resolve(of, true).to_string();
        // In its messages cel-go writes the short names.
        shown.replace("google.protobuf.Duration", "duration").replace("google.protobuf.Timestamp", "timestamp")
    }

    fn node<'n>(&mut self, node: &'n Node) -> Typed<'n, 's> {
        match &node.kind {
            Kind::Null => (Type::Null, Code::Null),
            Kind::Bool(value) => (Type::Bool, Code::Bool(*value)),
            Kind::Int(number) => (Type::Int, Code::Int(*number)),
            Kind::Uint(number) => (Type::Uint, Code::Uint(*number)),
            Kind::Double(number) => (Type::Double, Code::Double(*number)),
            Kind::Text(text) => (Type::Text, Code::Text(text)),
            Kind::Bytes(bytes) => (Type::Bytes, Code::Bytes(bytes)),
            Kind::Ident(name) => self.ident(node.at, name),
            Kind::Select { operand, field, optional } => self.select(node, operand, field, *optional),
            Kind::Has { operand, field } => self.has(node.at, operand, field),
            Kind::Index { operand, index, optional } => self.index(node.at, operand, index, *optional),
            Kind::Call { target, name, args } => self.call(node.at, target.as_deref(), name, args),
            Kind::Sum { first, rest } => self.sum(first, rest),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Message(name) => {
                let container = &self.env.container;
                self.wrong(node.at, format!("undeclared reference to '{name}' (in container '{container}')"))
            }
            Kind::Fold(fold) => self.fold(node.at, fold),
            Kind::Bind { .. } if !self.env.libraries.contains(&Library::Bindings) => {
                let container = &self.env.container;
                self.wrong(node.at, format!("undeclared reference to 'cel' (in container '{container}')"))
            }
            Kind::Bind { name, value, body } => {
                let (of, value) = self.node(value);
                let (of, body) = self.with(name, of, |checker| checker.node(body));
                (of, Code::Bind(Box::new((value, body))))
            }
            Kind::OptMap { operand, name, body, flat } => self.opt_map(node.at, operand, name, body, *flat),
            Kind::SortBy { operand, name, key } => self.sort_by(node.at, operand, name, key),
        }
    }

    /// Checks something with one more name.
    fn with<T>(&mut self, name: &str, of: Type<'s>, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.mixes_numbers = true;
        self.locals.push((name.to_owned(), of));
        let found = inner(self);
        self.locals.pop();
        found
    }

    /// A local, a variable of the environment or, with some luck, a type.
    fn look_up<'n>(&self, name: &str) -> Option<Typed<'n, 's>> {
        // No expression binds 65,536 names.
        let number = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
        if !name.starts_with('.') {
            let local = self.locals.iter().rposition(|(local, _)| local == name);
            if let Some(index) = local {
                return Some((self.locals[index].1.clone(), Code::Local(number(index))));
            }
        }
        self.candidates(name).into_iter().find_map(|name| {
            let (index, of) = self.env.variables.get(&name)?;
            Some((of.clone(), Code::Global(number(index))))
        })
    }

    /// The names that a name may mean in the container, the longest first.
    fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_prefix('.') {
            return vec![absolute.to_owned()];
        }
        let mut candidates = Vec::new();
        let mut container = self.env.container.as_str();
        while !container.is_empty() {
            candidates.push(format!("{container}.{name}"));
            container = container.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        candidates.push(name.to_owned());
        candidates
    }

    fn ident<'n>(&mut self, at: u32, name: &'n str) -> Typed<'n, 's> {
        if let Some(found) = self.look_up(name) {
            return found;
        }
        if let Some(found) = self.type_name(at, name) {
            return found;
        }
        let container = &self.env.container;
        self.wrong(at, format!("undeclared reference to '{name}' (in container '{container}')"))
    }

    /// The name of a type as a value.
    fn type_name<'n>(&mut self, at: u32, name: &'n str) -> Option<Typed<'n, 's>> {
        let dynamic = || Type::Dyn;
        let of = match name {
            "bool" => Type::Bool,
            "int" => Type::Int,
            "uint" => Type::Uint,
            "double" => Type::Double,
            "string" => Type::Text,
            "bytes" => Type::Bytes,
            "null_type" => Type::Null,
            "list" => Type::list(dynamic()),
            "map" => Type::map(dynamic(), dynamic()),
            "optional_type" => Type::optional(dynamic()),
            "type" => Type::Meta(dynamic().into()),
            "google.protobuf.Duration" => Type::Duration,
            "google.protobuf.Timestamp" => Type::Timestamp,
            "net.IP" => Type::Opaque("net.IP"),
            "net.CIDR" => Type::Opaque("net.CIDR"),
            "kubernetes.URL" => Type::Opaque("kubernetes.URL"),
            "kubernetes.Quantity" => Type::Opaque("kubernetes.Quantity"),
            "kubernetes.Semver" => Type::Opaque("kubernetes.Semver"),
            _ => return None,
        };
        if !self.env.type_values {
            return Some(self.wrong(at, format!("reference to undefined type: {name}")));
        }
        Some((Type::Meta(of.into()), Code::Type(name)))
    }

    fn select<'n>(&mut self, node: &'n Node, operand: &'n Node, field: &'n str, optional: bool) -> Typed<'n, 's> {
        if !optional && let Some(found) = self.qualified(node) {
            return found;
        }
        let (of, code) = self.node(operand);
        let (value, is_optional) = unwrapped(self.resolved(&of));
        let Some((of, field)) = self.field(node.at, &value, field) else { return (self.failed(), Code::Wrong) };
        if optional {
            return (Type::optional(of), Code::OptSelect(Box::new(code), field));
        }
        let of = if is_optional { Type::optional(of) } else { of };
        let code = match code {
            Code::Global(number) => Code::Path(number, vec![field]),
            Code::Path(number, mut fields) => {
                fields.push(field);
                Code::Path(number, fields)
            }
            other => Code::Select(Box::new(other), field),
        };
        (of, code)
    }

    /// A variable, or a type, whose name has dots in it.
    fn qualified<'n>(&mut self, node: &'n Node) -> Option<Typed<'n, 's>> {
        let names = node.names()?;
        if self.locals.iter().any(|(local, _)| *local == names[0]) {
            return None;
        }
        let name = names.join(".");
        let known = if self.env.variables.is_any_dotted() || !self.env.container.is_empty() {
            self.look_up(&name)
        } else {
            None
        };
        // The names live as long as the program, a joined name does not.
        let of_types = ["google.protobuf.Duration", "google.protobuf.Timestamp", "net.IP", "net.CIDR"];
        let of_kubernetes = ["kubernetes.URL", "kubernetes.Quantity", "kubernetes.Semver"];
        known.or_else(|| {
            let found = of_types.into_iter().chain(of_kubernetes).find(|known| *known == name)?;
            self.type_name(node.at, found)
        })
    }

    /// The type of a field and its name in the document; none if there is no
    /// such field, which is noted.
    fn field<'n>(&mut self, at: u32, of: &Type<'s>, field: &'n str) -> Option<(Type<'s>, &'n str)> {
        Some(match of {
            Type::Dyn | Type::Error => (Type::Dyn, field),
            Type::Map(parts) => (parts.1.clone(), field),
            Type::Var(_) => {
                self.bindings.assign(&Type::Dyn, of);
                (Type::Dyn, field)
            }
            Type::Opaque("kro.run.Condition") if matches!(field, "type" | "status" | "reason" | "message") => {
                (Type::Text, field)
            }
            Type::Object(object) => {
                let found = object.field(field).map(|of| (of, field));
                let unescaped = || {
                    let name = reserved(field).filter(|_| self.env.escaped_fields)?;
                    object.field(name).map(|of| (of, if self.env.raw { field } else { name }))
                };
                match found.or_else(unescaped) {
                    Some(found) => found,
                    None => {
                        let known = object.fields();
                        self.wrong(at, format!("undefined field '{field}'"));
                        self.hint(field, &known);
                        return None;
                    }
                }
            }
            Type::Opaque("kro.run.Condition") => {
                self.wrong(at, format!("undefined field '{field}'"));
                return None;
            }
            other => {
                let shown = self.shown(other);
                self.wrong(at, format!("type '{shown}' does not support field selection"));
                return None;
            }
        })
    }

    /// Says which fields there are, for the last issue.
    fn hint(&mut self, field: &str, known: &[&str]) {
        let Some(issue) = self.issues.last_mut() else { return };
        // The place is the dot's, as cel-go reports it; the length is the field's too.
        issue.length = 1 + field.len();
        issue.hint = match (crate::nearest::nearest(field, known.iter().copied()), known) {
            (Some(near), _) => Some(format!("did you mean `{near}`?")),
            (None, []) => Some("it has no fields".to_owned()),
            (None, known) if known.len() <= 20 => Some(format!("its fields are: {}", known.join(", "))),
            (None, _) => None,
        };
    }

    fn has<'n>(&mut self, at: u32, operand: &'n Node, field: &'n str) -> Typed<'n, 's> {
        let (of, code) = self.node(operand);
        let (value, _) = unwrapped(self.resolved(&of));
        match self.field(at, &value, field) {
            Some((_, field)) => (Type::Bool, Code::Has(Box::new(code), field)),
            None => (self.failed(), Code::Wrong),
        }
    }

    fn index<'n>(&mut self, at: u32, operand: &'n Node, index: &'n Node, optional: bool) -> Typed<'n, 's> {
        let (of, code) = self.node(operand);
        let (key, key_code) = self.node(index);
        let resolved = self.resolved(&of);
        let (value, is_optional) = unwrapped(resolved.clone());
        let element = match &value {
            Type::List(element) if self.bindings.assign(&key, &Type::Int) => Type::clone(element),
            Type::Map(parts) if self.bindings.assign(&key, &parts.0) => parts.1.clone(),
            // An optional element of who knows what may be an element or none.
            Type::Dyn if optional => return (Type::Dyn, Code::OptIndex(Box::new((code, key_code)))),
            Type::Dyn | Type::Error => Type::Dyn,
            Type::Var(_) => {
                self.bindings.assign(&Type::Dyn, &value);
                Type::Dyn
            }
            _ => {
                let name = if optional { "_[?_]" } else { "_[_]" };
                return self.no_overload(at, name, None, &[resolved, key]);
            }
        };
        let parts = Box::new((code, key_code));
        if optional {
            (Type::optional(element), Code::OptIndex(parts))
        } else {
            (if is_optional { Type::optional(element) } else { element }, Code::Index(parts))
        }
    }

    fn list<'n>(&mut self, elements: &'n [(Node, bool)]) -> Typed<'n, 's> {
        let mut common = None;
        let mut codes = Vec::with_capacity(elements.len());
        let mut types = Vec::with_capacity(elements.len());
        for (element, optional) in elements {
            let (of, code) = self.node(element);
            let of = if *optional { self.optional_value(element.at, &of) } else { of };
            types.push(of.clone());
            common = Some(self.joined(element.at, common, of));
            codes.push((code, *optional));
        }
        self.last_list = types;
        let element = common.unwrap_or_else(|| self.bindings.fresh());
        (Type::list(element), Code::List(codes))
    }

    fn map<'n>(&mut self, entries: &'n [Entry]) -> Typed<'n, 's> {
        let (mut keys, mut values) = (None, None);
        let mut codes = Vec::with_capacity(entries.len());
        for Entry { key, value, optional } in entries {
            let (key_type, key_code) = self.node(key);
            keys = Some(self.joined(key.at, keys, key_type));
            let (of, code) = self.node(value);
            let of = if *optional { self.optional_value(value.at, &of) } else { of };
            values = Some(self.joined(value.at, values, of));
            codes.push((key_code, code, *optional));
        }
        let keys = keys.unwrap_or_else(|| self.bindings.fresh());
        let values = values.unwrap_or_else(|| self.bindings.fresh());
        (Type::map(keys, values), Code::Map(codes))
    }

    /// The type of what a literal has had so far and of what it has too.
    fn joined(&mut self, at: u32, common: Option<Type<'s>>, of: Type<'s>) -> Type<'s> {
        if let (Some(before), true) = (&common, self.env.strict && !self.formats) {
            let fits = self.bindings.assign(before, &of);
            let (expected, found) = (self.resolved(before), self.resolved(&of));
            let is_wrong = [&expected, &found].iter().any(|it| matches!(it, Type::Error));
            if !(is_wrong || fits && expected.is_exactly(&found)) {
                let (expected, found) = (self.shown(before), self.shown(&of));
                return self.wrong(at, format!("expected type '{expected}' but found '{found}'")).0;
            }
        }
        self.bindings.join(common, of)
    }

    /// The type behind an optional element.
    fn optional_value(&mut self, at: u32, of: &Type<'s>) -> Type<'s> {
        match self.resolved(of) {
            Type::Optional(value) => Type::clone(&value),
            Type::Dyn | Type::Error => Type::Dyn,
            other => {
                let shown = self.shown(&other);
                self.wrong(at, format!("expected type 'optional_type({shown})' but found '{shown}'")).0
            }
        }
    }
}

/// The type behind an optional, and whether it was one.
fn unwrapped<'s>(of: Type<'s>) -> (Type<'s>, bool) {
    match of {
        Type::Optional(value) => (Type::clone(&value), true),
        other => (other, false),
    }
}

/// The reserved word that `__word__` stands for.
fn reserved(field: &str) -> Option<&str> {
    const WORDS: [&str; 22] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
        "__",
    ];
    let word = field.strip_prefix("__")?.strip_suffix("__")?;
    WORDS.contains(&word).then_some(word)
}

#[cfg(test)]
mod tests;
