//! The OpenAPI type of an expression's value, where it is obvious: what a
//! status field of the generated CRD is declared as.
//!
//! It is no type checker. What it cannot tell, the CRD leaves open.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use serde_json::{Value, json};

use super::{Expression, functions};
use crate::openapi::{self, Field};

impl Expression {
    /// The OpenAPI schema of its value, given the schema of each variable.
    pub(crate) fn schema<'s>(&self, variable: &dyn Fn(&str) -> Option<&'s Value>) -> Value {
        let inference = Inference { variable };
        inference.of(&self.ast, &[]).into_openapi()
    }
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
enum Type {
    Text,
    Integer,
    Number,
    Boolean,
    List(Box<Type>),
    Map,
    /// Whatever a part of the instance's schema says.
    Declared(Value),
    Unknown,
}

impl Type {
    fn into_openapi(self) -> Value {
        match self {
            Type::Text => json!({"type": "string"}),
            Type::Integer => json!({"type": "integer"}),
            Type::Number => json!({"type": "number"}),
            Type::Boolean => json!({"type": "boolean"}),
            Type::List(element) => json!({"type": "array", "items": element.into_openapi()}),
            Type::Map => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            Type::Declared(schema) => schema,
            Type::Unknown => json!({"x-kubernetes-preserve-unknown-fields": true}),
        }
    }

    fn of_openapi(schema: &Value) -> Type {
        match schema["type"].as_str() {
            Some("string") => Type::Text,
            Some("integer") => Type::Integer,
            Some("number") => Type::Number,
            Some("boolean") => Type::Boolean,
            Some("array") => Type::List(Box::new(Type::of_openapi(&schema["items"]))),
            Some("object") => Type::Declared(openapi::bare(schema)),
            _ => Type::Unknown,
        }
    }
}

struct Inference<'f, 's> {
    variable: &'f dyn Fn(&str) -> Option<&'s Value>,
}

type Bound<'e> = (&'e str, Type);

impl Inference<'_, '_> {
    fn of(&self, node: &IdedExpr, bound: &[Bound]) -> Type {
        match &node.expr {
            Expr::Literal(literal) => literal_type(literal),
            Expr::List(list) => Type::List(Box::new(self.common(&list.elements, bound))),
            Expr::Map(_) | Expr::Struct(_) => Type::Map,
            Expr::Call(call) => self.call(call, bound),
            Expr::Comprehension(it) => self.comprehension(it, bound),
            Expr::Select(select) if select.test => Type::Boolean,
            Expr::Ident(name) => match bound.iter().rev().find(|(bound, _)| bound == name) {
                Some((_, known)) => known.clone(),
                None => self.declared(node),
            },
            Expr::Select(_) => self.declared(node),
            Expr::Unspecified => Type::Unknown,
        }
    }

    /// The type that all have, if they have one.
    fn common(&self, nodes: &[IdedExpr], bound: &[Bound]) -> Type {
        let mut types = nodes.iter().map(|node| self.of(node, bound));
        let Some(first) = types.next() else { return Type::Unknown };
        if types.all(|other| other == first) { first } else { Type::Unknown }
    }

    /// The type of fields below a variable.
    fn declared(&self, node: &IdedExpr) -> Type {
        let mut fields = Vec::new();
        let mut node = node;
        while let Expr::Select(select) = &node.expr {
            fields.push(select.field.as_str());
            node = &select.operand;
        }
        let Expr::Ident(root) = &node.expr else { return Type::Unknown };
        let Some(mut schema) = (self.variable)(root) else { return Type::Unknown };
        for field in fields.into_iter().rev() {
            let Field::Known(below) = openapi::field(schema, field) else { return Type::Unknown };
            schema = below;
        }
        Type::of_openapi(schema)
    }

    fn comprehension(&self, it: &ComprehensionExpr, bound: &[Bound]) -> Type {
        let accumulated = match self.of(&it.accu_init, bound) {
            // `map` and `filter` start from an empty list and append.
            Type::List(_) => Type::List(Box::new(Type::Unknown)),
            other => other,
        };
        let mut inner = bound.to_vec();
        inner.push((&it.iter_var, Type::Unknown));
        inner.push((&it.accu_var, accumulated));
        self.of(&it.result, &inner)
    }

    fn call(&self, call: &CallExpr, bound: &[Bound]) -> Type {
        let argument = |index: usize| call.args.get(index).map_or(Type::Unknown, |node| self.of(node, bound));
        let name = functions::qualified_name(call).unwrap_or_else(|| call.func_name.clone());
        match name.as_str() {
            operators::CONDITIONAL => {
                let (then, otherwise) = (argument(1), argument(2));
                if then == otherwise { then } else { Type::Unknown }
            }
            operators::ADD => sum(argument(0), argument(1)),
            operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO => {
                arithmetic(argument(0), argument(1))
            }
            operators::NEGATE => argument(0),
            operators::INDEX => match argument(0) {
                Type::List(element) => *element,
                _ => Type::Unknown,
            },
            "size" | "int" | "uint" | "indexOf" | "lastIndexOf" => Type::Integer,
            "double" => Type::Number,
            "split" => Type::List(Box::new(Type::Text)),
            "lists.range" => Type::List(Box::new(Type::Integer)),
            name if TEXT_FUNCTIONS.contains(&name) => Type::Text,
            name if BOOLEAN_FUNCTIONS.contains(&name) => Type::Boolean,
            _ => Type::Unknown,
        }
    }
}

const TEXT_FUNCTIONS: [&str; 10] =
    ["string", "strings.quote", "charAt", "format", "join", "lowerAscii", "replace", "substring", "trim", "upperAscii"];

const BOOLEAN_FUNCTIONS: [&str; 16] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
    operators::NOT_STRICTLY_FALSE,
    "bool",
    "contains",
    "endsWith",
    "matches",
    "startsWith",
];

fn literal_type(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Boolean,
        LiteralValue::Double(_) => Type::Number,
        LiteralValue::Int(_) | LiteralValue::UInt(_) => Type::Integer,
        LiteralValue::String(_) => Type::Text,
        LiteralValue::Bytes(_) | LiteralValue::Null => Type::Unknown,
    }
}

/// `+` joins texts as soon as one side is one: anything else fails at run time.
fn sum(left: Type, right: Type) -> Type {
    match (left, right) {
        (Type::Text, _) | (_, Type::Text) => Type::Text,
        (Type::List(left), Type::List(right)) => Type::List(if left == right { left } else { Box::new(Type::Unknown) }),
        (left, right) => arithmetic(left, right),
    }
}

fn arithmetic(left: Type, right: Type) -> Type {
    match (left, right) {
        (Type::Integer, _) | (_, Type::Integer) => Type::Integer,
        (Type::Number, _) | (_, Type::Number) => Type::Number,
        _ => Type::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parse;

    fn inferred(source: &str) -> Value {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "name": {"type": "string", "default": "x"}, "n": {"type": "integer"}, "l": {"type": "array", "items": {"type": "string"}},
            "o": {"type": "object", "properties": {"a": {"type": "string", "default": "d", "description": "e"}}},
        }}}});
        parse(source).unwrap().schema(&|name| (name == "schema").then_some(&schema))
    }

    #[test]
    fn obvious_types_are_told() {
        for (source, kind) in [
            ("'a' + x.status.y", "string"),
            ("schema.spec.name", "string"),
            ("schema.spec.n * 2", "integer"),
            ("size(schema.spec.l)", "integer"),
            ("x.a > 2 && has(x.b)", "boolean"),
            ("x.l.exists(i, i == 1)", "boolean"),
            ("x.l.exists_one(i, i == 1)", "boolean"),
            ("1.5", "number"),
            ("schema.spec.n > 1 ? 'a' : string(x.b)", "string"),
            ("schema.spec.l[0]", "string"),
        ] {
            assert_eq!(inferred(source), json!({ "type": kind }), "{source}");
        }
        assert_eq!(inferred("schema.spec.l"), json!({"type": "array", "items": {"type": "string"}}));
        assert_eq!(inferred("schema.spec.o"), json!({"type": "object", "properties": {"a": {"type": "string"}}}));
    }

    #[test]
    fn what_cannot_be_told_stays_open() {
        let open = json!({"x-kubernetes-preserve-unknown-fields": true});
        for source in ["x.status.y", "x", "true ? 1 : 'a'", "null", "x.l.map(i, i)[0]"] {
            assert_eq!(inferred(source), open, "{source}");
        }
        assert_eq!(inferred("x.l.map(i, i)"), json!({"type": "array", "items": open}));
    }
}
