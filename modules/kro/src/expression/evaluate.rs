//! Evaluates the expressions of a program against JSON documents.
//!
//! It tells what is not there yet from what is wrong; what follows from that is
//! for `render`.

use std::{cell::OnceCell, sync::Arc};

use cel::{Context, Env, ExecutionError, Value as Evaluator};
use serde_json::Value;

use super::{Code, Form, codec, functions, references, value};

/// Why an expression has no value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// A field, a key or an element is not there.
    #[error("`{path}` is missing")]
    Missing {
        /// What is missing, as far as it can be told.
        path: String,
    },
    /// It cannot be computed.
    #[error("{0}")]
    Failed(String),
    /// The program is damaged or the engine is.
    #[error("{0}")]
    Internal(String),
}

/// The field of the instance that an expression reads, if it reads just one
/// and nothing else: where the cause of a failure is.
pub(crate) fn only_instance_field(code: &Code) -> Option<Vec<String>> {
    let owned = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
    match &code.form {
        Form::Path(path) => path.split_first().filter(|(root, _)| **root == "schema").map(|(_, fields)| owned(fields)),
        Form::Tree { bytes, .. } => {
            let tree = codec::decode(bytes).ok()?;
            let mentions = references::mentions(&tree);
            let first = mentions.references.first().filter(|it| it.root == "schema")?;
            mentions.references.iter().all(|it| it == first).then(|| owned(&first.fields))
        }
    }
}

/// The functions that expressions call, declared when first needed: a
/// definition without expressions pays nothing for them.
pub(crate) struct Engine {
    everyday: OnceCell<Arc<Env>>,
    whole: OnceCell<Arc<Env>>,
}

impl Default for Engine {
    fn default() -> Engine {
        functions::forget_patterns();
        Engine { everyday: OnceCell::new(), whole: OnceCell::new() }
    }
}

impl Engine {
    fn env(&self, whole_library: bool) -> Result<Arc<Env>, Error> {
        let cell = if whole_library { &self.whole } else { &self.everyday };
        if let Some(env) = cell.get() {
            return Ok(Arc::clone(env));
        }
        let env = if whole_library { functions::whole_library() } else { functions::everyday() };
        let env = env.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Arc::clone(cell.get_or_init(|| env)))
    }
}

/// The variables that expressions see.
pub(crate) struct Scope<'v> {
    variables: Vec<(&'v str, &'v Value)>,
    engine: &'v Engine,
    everyday: OnceCell<Context<'v, 'v>>,
    whole: OnceCell<Context<'v, 'v>>,
}

impl<'v> Scope<'v> {
    /// A scope with these variables.
    pub(crate) fn new(variables: Vec<(&'v str, &'v Value)>, engine: &'v Engine) -> Scope<'v> {
        Scope { variables, engine, everyday: OnceCell::new(), whole: OnceCell::new() }
    }

    /// The value of an expression.
    pub(crate) fn evaluate(&self, code: &Code) -> Result<Value, Error> {
        match &code.form {
            Form::Path(path) => self.look_up(path).cloned(),
            Form::Tree { bytes, whole_library } => self.evaluate_tree(bytes, *whole_library),
        }
    }

    fn look_up(&self, path: &[&str]) -> Result<&'v Value, Error> {
        let (root, fields) = path.split_first().ok_or_else(|| Error::Internal("an empty path".to_owned()))?;
        let mut value = self.variable(root).ok_or_else(|| missing(&path[..1]))?;
        for (index, field) in fields.iter().enumerate() {
            let Value::Object(object) = value else {
                let message = format!("`{}` is no map and has no field `{field}`", path[..=index].join("."));
                return Err(Error::Failed(message));
            };
            value = object.get(*field).ok_or_else(|| missing(&path[..index + 2]))?;
        }
        Ok(value)
    }

    fn variable(&self, name: &str) -> Option<&'v Value> {
        self.variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value)
    }

    fn evaluate_tree(&self, bytes: &[u8], whole_library: bool) -> Result<Value, Error> {
        let tree = codec::decode(bytes).map_err(|error| Error::Internal(error.to_string()))?;
        let context = self.context(whole_library)?;
        let result = match Evaluator::resolve_val(&tree, context) {
            Ok(found) => return value::to_json(found.as_ref()).map_err(|error| Error::Failed(error.to_string())),
            Err(error) => error,
        };
        Err(match &result {
            ExecutionError::NoSuchKey(key) => Error::Missing { path: self.missing_path(&tree, key) },
            ExecutionError::IndexOutOfBounds(index) => Error::Missing { path: format!("element {}", plain(index)) },
            ExecutionError::UndeclaredReference(name) => Error::Missing { path: name.to_string() },
            other => Error::Failed(describe(other)),
        })
    }

    /// The first path in the tree that leads to the missing key.
    fn missing_path(&self, tree: &cel::IdedExpr, key: &str) -> String {
        let mentions = references::mentions(tree);
        let lost = mentions.references.iter().filter(|it| !it.test).find_map(|it| {
            let path: Vec<&str> = [&[it.root], it.fields.as_slice()].concat();
            match self.look_up(&path) {
                Err(Error::Missing { path }) if path.ends_with(key) => Some(path),
                _ => None,
            }
        });
        lost.unwrap_or_else(|| key.to_owned())
    }

    fn context(&self, whole_library: bool) -> Result<&Context<'v, 'v>, Error> {
        let cell = if whole_library { &self.whole } else { &self.everyday };
        if let Some(context) = cell.get() {
            return Ok(context);
        }
        let mut context = Context::with_env(self.engine.env(whole_library)?);
        for (name, json) in &self.variables {
            context.add_variable_as_val(*name, value::of_json(json));
        }
        Ok(cell.get_or_init(|| context))
    }
}

fn missing(path: &[&str]) -> Error {
    Error::Missing { path: path.join(".") }
}

fn plain(value: &Evaluator) -> String {
    match value {
        Evaluator::Int(number) => number.to_string(),
        Evaluator::UInt(number) => number.to_string(),
        _ => "of a list".to_owned(),
    }
}

/// The engine's words, without the values: those may be long, secret, or both.
fn describe(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::UnexpectedType { got, want } => format!("expected a value of type {want}, got {got}"),
        ExecutionError::FunctionError { function, message } => format!("{function}: {message}"),
        ExecutionError::UnsupportedBinaryOperator(operator, left, right) => {
            format!("cannot {operator} {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("cannot compare {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(operator, ..) => format!("integer overflow in {operator}"),
        ExecutionError::DuplicateKey(_) => "a map literal repeats a key".to_owned(),
        ExecutionError::UnsupportedKeyType(_) => "a map key must be a bool, an int, a uint or a string".to_owned(),
        _ => "the expression cannot be evaluated".to_owned(),
    }
}
