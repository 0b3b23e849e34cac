//! The variables of expressions while an instance is rendered, and what their
//! evaluation comes to.

use expr::{
    convert::{self, Extent},
    eval::{Error, Globals, Machine},
    value::Value,
};
use serde_json::Value as Json;

use crate::program::{Expression, Program};

/// The variables and the machine.
pub(super) struct Scope<'r> {
    machine: Machine,
    names: Vec<&'r str>,
    values: Vec<Option<Value<'r>>>,
    /// For expressions that see one variable only: all empty between them.
    lone: Vec<Option<Value<'r>>>,
}

/// Why an expression has no value.
#[derive(Debug)]
pub(super) enum Lack {
    /// Something is not there yet.
    Pending(Error),
    /// It cannot be computed.
    Failed(String),
    /// It is too much work.
    Exhausted(String),
}

impl<'r> Scope<'r> {
    pub(super) fn new(program: &Program<'r>, schema: &'r Json) -> Scope<'r>
    where
        'r: 'r,
    {
        let names: Vec<&str> = program.variables.iter().map(|variable| variable.name).collect();
        let values = names.iter().map(|_| None).collect();
        let mut scope = Scope { machine: Machine::default(), names, values, lone: Vec::new() };
        scope.set(0, Some(Value::of_json(schema, None)));
        scope
    }

    pub(super) fn set(&mut self, variable: usize, value: Option<Value<'r>>) {
        if let Some(slot) = self.values.get_mut(variable) {
            *slot = value;
        }
    }

    pub(super) fn get(&self, variable: usize) -> Option<&Value<'r>> {
        self.values.get(variable).and_then(Option::as_ref)
    }

    /// The name of a variable.
    pub(super) fn name(&self, variable: usize) -> &'r str {
        self.names.get(variable).copied().unwrap_or_default()
    }

    /// Binds iterators after all other variables; `None` takes them away.
    pub(super) fn iterate(&mut self, base: usize, iterators: &[(&'r str, Value<'r>)]) {
        self.names.truncate(base);
        self.values.truncate(base);
        for (name, value) in iterators {
            self.names.push(name);
            self.values.push(Some(value.clone()));
        }
    }

    /// The value of an expression.
    pub(super) fn value(&self, expression: &'r Expression<'r>) -> Result<Value<'r>, Lack> {
        let globals = Globals { names: &self.names, values: &self.values };
        self.machine.evaluate(&expression.code, globals).map_err(lack)
    }

    /// The value of an expression that sees one variable only.
    pub(super) fn alone(
        &mut self,
        expression: &'r Expression<'r>,
        variable: usize,
        value: Value<'r>,
    ) -> Result<Value<'r>, Lack> {
        self.lone.resize(self.lone.len().max(variable + 1), None);
        self.lone[variable] = Some(value);
        let globals = Globals { names: &self.names, values: &self.lone };
        let outcome = self.machine.evaluate(&expression.code, globals).map_err(lack);
        self.lone[variable] = None;
        outcome
    }

    /// The value of an expression as JSON; none where it is to be left out.
    pub(super) fn json(&self, expression: &'r Expression<'r>) -> Result<Option<Json>, Lack> {
        convert::to_json(&self.value(expression)?).map_err(|error| Lack::Failed(error.to_string()))
    }

    /// Appends the value of an expression as JSON to a text; none where it is to be
    /// left out.
    pub(super) fn write(&self, expression: &'r Expression<'r>, text: &mut String) -> Result<Option<Extent>, Lack> {
        let globals = Globals { names: &self.names, values: &self.values };
        match self.machine.evaluate_or_write(&expression.code, globals, text).map_err(lack)? {
            None => Ok(Some(Extent { values: 1, depth: 0 })),
            Some(value) => convert::write_json(&value, text).map_err(|error| Lack::Failed(error.to_string())),
        }
    }
}

fn lack(error: Error) -> Lack {
    match error {
        Error::Exhausted => Lack::Exhausted(error.to_string()),
        error if error.is_pending() => Lack::Pending(error),
        error => Lack::Failed(error.to_string()),
    }
}
