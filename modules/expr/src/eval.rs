//! Evaluates checked expressions, within a bound on the work.
//!
//! What is not there yet is told from what is wrong by the type of the error;
//! what follows from either is for whoever asked.

use std::{cell::Cell, cell::RefCell, collections::BTreeMap, rc::Rc};

use regex::Regex;

use crate::{
    code::{Callee, Code, FoldCode},
    convert,
    library::{self, standard},
    regexp,
    syntax::Action,
    value::{Key, Map, Text, Value},
};

/// The work that one render may do, about one unit for each step. Under the
/// fuel of a call this ends first, and can name the expression.
pub const WORK: u64 = 2_000_000;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key is not there.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// An element is not there.
    #[error("index out of bounds: {0}")]
    OutOfBounds(i64),
    /// A variable has no value.
    #[error("no such attribute(s): {0}")]
    NoSuchAttribute(String),
    /// It cannot be computed.
    #[error("{0}")]
    Failed(String),
    /// It is too much work.
    #[error("the expression takes too much work: more than {WORK} steps in one render")]
    Exhausted,
}

impl Error {
    /// Whether what is missing may still come: kro's class "data pending".
    pub fn is_pending(&self) -> bool {
        matches!(self, Error::NoSuchKey(_) | Error::OutOfBounds(_) | Error::NoSuchAttribute(_))
    }

    pub(crate) fn failed(message: impl Into<String>) -> Error {
        Error::Failed(message.into())
    }

    /// cel-go's answer to values that an operator does not take.
    pub(crate) fn no_such_overload() -> Error {
        Error::failed("no such overload")
    }
}

/// What evaluates: the work that is left, and what is worth keeping from one
/// expression to the next.
#[derive(Debug)]
pub struct Machine {
    left: Cell<u64>,
    patterns: RefCell<BTreeMap<String, Rc<Regex>>>,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine::with_work(WORK)
    }
}

/// The variables that an expression sees, by number.
#[derive(Clone, Copy, Debug)]
pub struct Globals<'g, 'v> {
    /// Their names, for messages.
    pub names: &'g [&'g str],
    /// Their values, as far as there are any.
    pub values: &'g [Option<Value<'v>>],
}

impl Machine {
    /// One that may do that much work.
    pub fn with_work(work: u64) -> Machine {
        Machine { left: Cell::new(work), patterns: RefCell::default() }
    }

    /// The work that is left.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// Something is missing, wrong, or too much work.
    pub fn evaluate<'v>(&self, code: &'v Code<'v>, globals: Globals<'_, 'v>) -> Result<Value<'v>, Error> {
        Run { machine: self, globals, locals: Vec::new() }.eval(code)
    }

    /// The value of an expression; or none if it adds up texts, and then its JSON is
    /// appended to `json`, without making the sum first.
    ///
    /// # Errors
    /// Something is missing, wrong, or too much work. Nothing is appended.
    pub fn evaluate_or_write<'v>(
        &self,
        code: &'v Code<'v>,
        globals: Globals<'_, 'v>,
        json: &mut String,
    ) -> Result<Option<Value<'v>>, Error> {
        let Code::Sum(operands) = code else { return self.evaluate(code, globals).map(Some) };
        let end = json.len();
        self.charge(1)?;
        let outcome = Run { machine: self, globals, locals: Vec::new() }.texts(operands, json);
        outcome.inspect_err(|_| json.truncate(end))
    }

    /// Takes work off what is left.
    pub(crate) fn charge(&self, work: usize) -> Result<(), Error> {
        let left = self.left.get().checked_sub(work as u64);
        self.left.set(left.unwrap_or(0));
        if left.is_some() { Ok(()) } else { Err(Error::Exhausted) }
    }

    /// A compiled pattern; each is compiled once.
    pub(crate) fn pattern(&self, pattern: &str) -> Result<Rc<Regex>, Error> {
        let mut patterns = self.patterns.borrow_mut();
        if let Some(compiled) = patterns.get(pattern) {
            return Ok(Rc::clone(compiled));
        }
        // Compiling is dear, and dearer for a longer pattern.
        self.charge(200 + 8 * pattern.len())?;
        let compiled = regexp::compile(pattern).map_err(|why| Error::failed(format!("error parsing regexp: {why}")))?;
        let compiled = Rc::new(compiled);
        patterns.insert(pattern.to_owned(), Rc::clone(&compiled));
        Ok(compiled)
    }
}

type Outcome<'v> = Result<Value<'v>, Error>;

struct Run<'m, 'g, 'v> {
    machine: &'m Machine,
    globals: Globals<'g, 'v>,
    /// What macros bind; a binding that failed fails where it is used.
    locals: Vec<Outcome<'v>>,
}

impl<'v> Run<'_, '_, 'v> {
    fn eval(&mut self, code: &'v Code<'v>) -> Outcome<'v> {
        self.machine.charge(1)?;
        Ok(match code {
            Code::Wrong => return Err(Error::no_such_overload()),
            Code::Null => Value::Null,
            Code::Bool(value) => Value::Bool(*value),
            Code::Int(number) => Value::Int(*number),
            Code::Uint(number) => Value::Uint(*number),
            Code::Double(number) => Value::Double(*number),
            Code::Text(text) => Value::Text(Text::Borrowed(text)),
            Code::Bytes(bytes) => Value::Bytes((*bytes).into()),
            Code::Type(name) => Value::Type((*name).into()),
            Code::Global(number) => self.global(*number)?.clone(),
            Code::Local(number) => return self.local(*number),
            Code::Path(number, fields) => return self.path(*number, fields),
            Code::Select(operand, field) => select(&self.eval(operand)?, field)?,
            Code::OptSelect(operand, field) => optional(self.eval(operand)?, |value| select(value, field))?,
            Code::Has(operand, field) => Value::Bool(has(&self.eval(operand)?, field)?),
            Code::Index(parts) => {
                let operand = self.eval(&parts.0)?;
                index(&operand, &self.eval(&parts.1)?)?
            }
            Code::OptIndex(parts) => {
                let operand = self.eval(&parts.0)?;
                let key = self.eval(&parts.1)?;
                optional(operand, |value| index(value, &key))?
            }
            Code::Sum(operands) => self.sum(operands)?,
            Code::And(parts) => return self.logic(parts, false),
            Code::Or(parts) => return self.logic(parts, true),
            Code::If(parts) => match self.eval(&parts.0)? {
                Value::Bool(true) => return self.eval(&parts.1),
                Value::Bool(false) => return self.eval(&parts.2),
                _ => return Err(Error::no_such_overload()),
            },
            Code::List(elements) => self.list(elements)?,
            Code::Map(entries) => self.map(entries)?,
            Code::Call(callee, args) => return self.call(*callee, args),
            Code::Dispatch(callees, args) => return self.dispatch(callees, args),
            Code::Fold(fold) => self.fold(fold)?,
            Code::Bind(parts) => {
                let value = self.eval(&parts.0);
                return self.with(value, &parts.1);
            }
            Code::OptMap(parts, flat) => match self.eval(&parts.0)? {
                Value::Optional(None) => Value::Optional(None),
                Value::Optional(Some(value)) => {
                    let mapped = self.with(Ok(Value::clone(&value)), &parts.1)?;
                    if *flat { mapped } else { Value::some(mapped) }
                }
                _ => return Err(Error::no_such_overload()),
            },
            // As in cel-go, what stands in is not evaluated if there is a value.
            Code::OptOr(parts, is_value) => match self.eval(&parts.0)? {
                Value::Optional(None) => return self.eval(&parts.1),
                Value::Optional(Some(value)) if *is_value => Value::clone(&value),
                value @ Value::Optional(Some(_)) => value,
                _ => return Err(Error::no_such_overload()),
            },
            Code::SortBy(parts) => self.sort_by(&parts.0, &parts.1)?,
        })
    }

    fn global(&self, number: u16) -> Result<&Value<'v>, Error> {
        let number = usize::from(number);
        let missing = || Error::NoSuchAttribute(self.globals.names.get(number).copied().unwrap_or("?").to_owned());
        self.globals.values.get(number).and_then(Option::as_ref).ok_or_else(missing)
    }

    fn local(&self, number: u16) -> Outcome<'v> {
        let unbound = || Err(Error::failed("a variable is not bound"));
        self.locals.get(usize::from(number)).cloned().unwrap_or_else(unbound)
    }

    fn path(&self, number: u16, fields: &'v [&'v str]) -> Outcome<'v> {
        let (first, rest) = match fields.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return self.global(number).cloned(),
        };
        let mut value = select(self.global(number)?, first)?;
        for field in rest {
            value = select(&value, field)?;
        }
        Ok(value)
    }

    /// Evaluates with one more local.
    fn with(&mut self, value: Outcome<'v>, body: &'v Code<'v>) -> Outcome<'v> {
        self.locals.push(value);
        let outcome = self.eval(body);
        self.locals.pop();
        outcome
    }

    /// `&&` and `||`: an error on one side does not matter if the other decides.
    fn logic(&mut self, parts: &'v (Code<'v>, Code<'v>), decisive: bool) -> Outcome<'v> {
        let left = self.eval(&parts.0);
        if matches!(left, Ok(Value::Bool(value)) if value == decisive) {
            return left;
        }
        if left == Err(Error::Exhausted) {
            return left;
        }
        match (left, self.eval(&parts.1)) {
            (_, Err(Error::Exhausted)) => Err(Error::Exhausted),
            (_, Ok(Value::Bool(value))) if value == decisive => Ok(Value::Bool(decisive)),
            (Err(error), _) | (Ok(Value::Bool(_)), Err(error)) => Err(error),
            (Ok(Value::Bool(_)), Ok(Value::Bool(value))) => Ok(Value::Bool(value)),
            _ => Err(Error::no_such_overload()),
        }
    }

    fn sum(&mut self, operands: &'v [Code<'v>]) -> Outcome<'v> {
        let Some((first, rest)) = operands.split_first() else { return Ok(Value::Null) };
        let first = self.eval(first)?;
        self.sum_from(first, rest)
    }

    /// A sum of texts as JSON; the value of any other.
    fn texts(&mut self, operands: &'v [Code<'v>], json: &mut String) -> Result<Option<Value<'v>>, Error> {
        let Some((first, rest)) = operands.split_first() else { return Ok(Some(Value::Null)) };
        let first = match self.eval(first)? {
            Value::Text(text) => text,
            other => return self.sum_from(other, rest).map(Some),
        };
        json.push('"');
        convert::escape(&first, json);
        for operand in rest {
            let Value::Text(text) = self.eval(operand)? else { return Err(Error::no_such_overload()) };
            self.machine.charge(text.len() / 16)?;
            convert::escape(&text, json);
        }
        json.push('"');
        Ok(None)
    }

    fn sum_from(&mut self, first: Value<'v>, rest: &'v [Code<'v>]) -> Outcome<'v> {
        let mut sum = Partial::Value(first);
        for operand in rest {
            let value = self.eval(operand)?;
            self.machine.charge(value.weight() / 16)?;
            sum = sum.plus(self.machine, value)?;
        }
        Ok(sum.finish())
    }

    fn list(&mut self, elements: &'v [(Code<'v>, bool)]) -> Outcome<'v> {
        let mut list = Vec::with_capacity(elements.len());
        for (element, may_be_absent) in elements {
            match self.eval(element)? {
                Value::Optional(value) if *may_be_absent => list.extend(value.map(|value| Value::clone(&value))),
                _ if *may_be_absent => return Err(Error::no_such_overload()),
                value => list.push(value),
            }
        }
        Ok(Value::list(list))
    }

    fn map(&mut self, entries: &'v [(Code<'v>, Code<'v>, bool)]) -> Outcome<'v> {
        let mut map = BTreeMap::new();
        for (key, value, may_be_absent) in entries {
            let key = literal_key(&self.eval(key)?)?;
            let value = match self.eval(value)? {
                Value::Optional(None) if *may_be_absent => continue,
                Value::Optional(Some(value)) if *may_be_absent => Value::clone(&value),
                _ if *may_be_absent => return Err(Error::no_such_overload()),
                value => value,
            };
            insert_new(&mut map, key, value)?;
        }
        Ok(Value::map(map))
    }

    fn call(&mut self, callee: Callee, args: &'v [Code<'v>]) -> Outcome<'v> {
        // Nearly all calls have at most three arguments: no allocation for those.
        match args {
            [one] => {
                let value = self.eval(one)?;
                self.apply(callee, &mut [value])
            }
            [one, two] => {
                let mut values = [self.eval(one)?, Value::Null];
                values[1] = self.eval(two)?;
                self.apply(callee, &mut values)
            }
            _ => {
                let mut values = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
                self.apply(callee, &mut values)
            }
        }
    }

    /// Several functions have that name: the first that takes the values.
    fn dispatch(&mut self, callees: &[Callee], args: &'v [Code<'v>]) -> Outcome<'v> {
        let mut values = args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
        let takes = |callee: &&Callee| {
            let function = library::function(**callee);
            let overload = function.zip(callee.overload).and_then(|(it, index)| it.overloads.get(usize::from(index)));
            overload.is_some_and(|overload| {
                overload.params.len() == values.len()
                    && overload.params.iter().zip(&values).all(|(sig, value)| sig.admits(value))
            })
        };
        let callee = callees.iter().find(takes).or(callees.first()).ok_or_else(Error::no_such_overload)?;
        self.apply(*callee, &mut values)
    }

    fn apply(&self, callee: Callee, values: &mut [Value<'v>]) -> Outcome<'v> {
        let function = library::function(callee).ok_or_else(|| Error::failed("the program calls no function"))?;
        let admits = |overload: &&library::Overload| {
            overload.params.len() == values.len()
                && overload.params.iter().zip(&*values).all(|(sig, value)| sig.admits(value))
        };
        let found = match callee.overload {
            // An operator looks at the values itself.
            _ if function.operator => function.overloads.first(),
            Some(overload) if function.name != "size" => function.overloads.get(usize::from(overload)).filter(admits),
            _ => function.overloads.iter().find(admits),
        };
        match found {
            Some(overload) => (overload.run)(self.machine, values),
            None => {
                let types: Vec<&str> = values.iter().map(Value::type_name).collect();
                Err(Error::failed(format!("no such overload: {}({})", function.name, types.join(", "))))
            }
        }
    }

    /// The elements that a fold goes over: one value each, or two.
    fn elements(&self, range: Value<'v>, two: bool) -> Result<Vec<(Value<'v>, Value<'v>)>, Error> {
        let elements: Vec<(Value, Value)> = match range {
            Value::List(list) if two => {
                let positions = (0_i64..).map(Value::Int);
                positions.zip(list.iter()).collect()
            }
            Value::List(list) => list.iter().map(|element| (element, Value::Null)).collect(),
            Value::Map(map) if two => map.iter().map(|(key, value)| (key.into(), value)).collect(),
            Value::Map(map) => map.iter().map(|(key, _)| (key.into(), Value::Null)).collect(),
            _ => return Err(Error::no_such_overload()),
        };
        self.machine.charge(elements.len())?;
        Ok(elements)
    }

    fn fold(&mut self, fold: &'v FoldCode<'v>) -> Outcome<'v> {
        let range = self.eval(&fold.range)?;
        let elements = self.elements(range, fold.two)?;
        let mut state = Folding::of(fold.action);
        for (first, second) in elements {
            let kept = (fold.action == Action::Filter).then(|| first.clone());
            let key = (fold.action == Action::Map).then(|| first.clone());
            self.locals.push(Ok(first));
            if fold.two {
                self.locals.push(Ok(second));
            }
            let step = self.step(fold, &mut state, kept, key);
            let locals = self.locals.len() - if fold.two { 2 } else { 1 };
            self.locals.truncate(locals);
            if step? {
                break;
            }
        }
        state.finish()
    }

    /// One element of a fold; true if the rest does not matter.
    fn step(
        &mut self,
        fold: &'v FoldCode<'v>,
        state: &mut Folding<'v>,
        kept: Option<Value<'v>>,
        key: Option<Value<'v>>,
    ) -> Result<bool, Error> {
        if let Some(filter) = &fold.filter {
            match self.eval(filter)? {
                Value::Bool(true) => {}
                Value::Bool(false) => return Ok(false),
                _ => return Err(Error::no_such_overload()),
            }
        }
        let value = self.eval(&fold.body);
        if value == Err(Error::Exhausted) {
            return Err(Error::Exhausted);
        }
        match state {
            Folding::Decide { decisive, decided, failure } => match value {
                Ok(Value::Bool(value)) if value == *decisive => *decided = true,
                Ok(Value::Bool(_)) => {}
                Ok(_) => *failure = failure.take().or(Some(Error::no_such_overload())),
                Err(error) => *failure = failure.take().or(Some(error)),
            },
            Folding::Count(count) => match value? {
                Value::Bool(true) => *count += 1,
                Value::Bool(false) => {}
                _ => return Err(Error::no_such_overload()),
            },
            Folding::List(list) => match (kept, value?) {
                (None, value) => list.push(value),
                (Some(kept), Value::Bool(true)) => list.push(kept),
                (Some(_), Value::Bool(false)) => {}
                (Some(_), _) => return Err(Error::no_such_overload()),
            },
            Folding::Map(map) => match (key, value?) {
                (Some(key), value) => insert_new(map, literal_key(&key)?, value)?,
                (None, Value::Map(entries)) => merge(map, &entries)?,
                (None, _) => return Err(Error::no_such_overload()),
            },
        }
        Ok(matches!(state, Folding::Decide { decided: true, .. }))
    }

    fn sort_by(&mut self, list: &'v Code<'v>, key: &'v Code<'v>) -> Outcome<'v> {
        let range = self.eval(list)?;
        let Value::List(list) = range else { return Err(Error::no_such_overload()) };
        let mut keyed = Vec::with_capacity(list.len());
        for element in list.iter() {
            keyed.push((self.with(Ok(element.clone()), key)?, element));
        }
        library::lists::sort(self.machine, &mut keyed)?;
        Ok(Value::list(keyed.into_iter().map(|(_, element)| element).collect()))
    }
}

/// What a sum has come to so far. Texts, bytes and lists are gathered in one
/// buffer: a long sum copies nothing twice.
enum Partial<'v> {
    Value(Value<'v>),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value<'v>>),
}

impl<'v> Partial<'v> {
    fn plus(self, machine: &Machine, value: Value<'v>) -> Result<Partial<'v>, Error> {
        Ok(match (self, value) {
            (Partial::Value(Value::Text(one)), Value::Text(two)) => Partial::Text([&*one, &*two].concat()),
            (Partial::Value(Value::Bytes(one)), Value::Bytes(two)) => Partial::Bytes([&*one, &*two].concat()),
            // A set takes up what it does not have.
            (Partial::Value(Value::List(one)), Value::List(two)) if !one.is_set() => {
                machine.charge(one.len() + two.len())?;
                Partial::List(one.iter().chain(two.iter()).collect())
            }
            (Partial::Text(mut text), Value::Text(more)) => {
                text.push_str(&more);
                Partial::Text(text)
            }
            (Partial::Bytes(mut bytes), Value::Bytes(more)) => {
                bytes.extend_from_slice(&more);
                Partial::Bytes(bytes)
            }
            (Partial::List(mut list), Value::List(more)) => {
                machine.charge(more.len())?;
                list.extend(more.iter());
                Partial::List(list)
            }
            (Partial::Value(one), two) => Partial::Value(standard::add(machine, &one, &two)?),
            _ => return Err(Error::no_such_overload()),
        })
    }

    fn finish(self) -> Value<'v> {
        match self {
            Partial::Value(value) => value,
            Partial::Text(text) => Value::text(text),
            Partial::Bytes(bytes) => Value::Bytes(bytes.into()),
            Partial::List(list) => Value::list(list),
        }
    }
}

/// What a fold has come to so far.
enum Folding<'v> {
    Decide { decisive: bool, decided: bool, failure: Option<Error> },
    Count(u64),
    List(Vec<Value<'v>>),
    Map(BTreeMap<Key<'v>, Value<'v>>),
}

impl<'v> Folding<'v> {
    fn of(action: Action) -> Folding<'v> {
        match action {
            Action::All => Folding::Decide { decisive: false, decided: false, failure: None },
            Action::Exists => Folding::Decide { decisive: true, decided: false, failure: None },
            Action::ExistsOne => Folding::Count(0),
            Action::Filter | Action::List => Folding::List(Vec::new()),
            Action::Map | Action::MapEntry => Folding::Map(BTreeMap::new()),
        }
    }

    fn finish(self) -> Outcome<'v> {
        match self {
            Folding::Decide { decisive, decided: true, .. } => Ok(Value::Bool(decisive)),
            Folding::Decide { failure: Some(error), .. } => Err(error),
            Folding::Decide { decisive, .. } => Ok(Value::Bool(!decisive)),
            Folding::Count(count) => Ok(Value::Bool(count == 1)),
            Folding::List(list) => Ok(Value::list(list)),
            Folding::Map(map) => Ok(Value::map(map)),
        }
    }
}

fn insert_new<'v>(map: &mut BTreeMap<Key<'v>, Value<'v>>, key: Key<'v>, value: Value<'v>) -> Result<(), Error> {
    if map.contains_key(&key) {
        let shown = library::conversions::shown(&key.into());
        return Err(Error::failed(format!("insert failed: key {shown} already exists")));
    }
    map.insert(key, value);
    Ok(())
}

fn merge<'v>(map: &mut BTreeMap<Key<'v>, Value<'v>>, entries: &Map<'v>) -> Result<(), Error> {
    entries.iter().try_for_each(|(key, value)| insert_new(map, key, value))
}

/// What may be the key of a map literal: a double may not.
fn literal_key<'v>(value: &Value<'v>) -> Result<Key<'v>, Error> {
    match value {
        Value::Double(_) => Err(Error::failed("unsupported key type")),
        value => value.as_key().ok_or_else(|| Error::failed("unsupported key type")),
    }
}

/// A field. Of an optional the field is an optional. What has no fields, null
/// above all, lacks this one, as in cel-go.
fn select<'v>(operand: &Value<'v>, field: &str) -> Outcome<'v> {
    match operand {
        Value::Map(map) => map.field(field).ok_or_else(|| Error::NoSuchKey(field.to_owned())),
        Value::List(_) => Err(no_position("string")),
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(value)) => absent(select(value, field)),
        Value::Condition(condition) => Ok(Value::text(match field {
            "type" => condition.kind.as_str(),
            "status" => &condition.status,
            "reason" => &condition.reason,
            "message" => &condition.message,
            _ => return Err(Error::NoSuchKey(field.to_owned())),
        })),
        _ => Err(Error::NoSuchKey(field.to_owned())),
    }
}

fn has(operand: &Value, field: &str) -> Result<bool, Error> {
    match operand {
        Value::Map(map) => Ok(map.field(field).is_some()),
        Value::List(_) => Err(no_position("string")),
        Value::Optional(Some(value)) => has(value, field),
        Value::Condition(_) => select(operand, field).map(|value| value.weight() > 0),
        _ => Ok(false),
    }
}

fn no_position(type_name: &str) -> Error {
    Error::failed(format!("unsupported index type '{type_name}' in list"))
}

/// What a lookup finds, as an optional.
fn optional<'v>(operand: Value<'v>, look_up: impl FnOnce(&Value<'v>) -> Outcome<'v>) -> Outcome<'v> {
    match operand {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(value)) => absent(look_up(&value)),
        value => absent(look_up(&value)),
    }
}

fn absent(found: Outcome<'_>) -> Outcome<'_> {
    match found {
        Ok(value) => Ok(Value::some(value)),
        Err(error) if error.is_pending() => Ok(Value::Optional(None)),
        Err(error) => Err(error),
    }
}

fn index<'v>(operand: &Value<'v>, key: &Value<'v>) -> Outcome<'v> {
    match operand {
        Value::List(list) => {
            let position = match key.as_key() {
                Some(Key::Int(number)) => number,
                Some(Key::Uint(number)) => i64::try_from(number).unwrap_or(i64::MAX),
                _ => return Err(no_position(key.type_name())),
            };
            let element = usize::try_from(position).ok().and_then(|position| list.get(position));
            element.ok_or(Error::OutOfBounds(position))
        }
        Value::Map(map) => {
            let found = key.as_key().and_then(|key| map.get(&key));
            found.ok_or_else(|| missing(key))
        }
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(value)) => absent(index(value, key)),
        _ => Err(missing(key)),
    }
}

/// There is nothing of that key, or nothing can be looked up by it.
fn missing(key: &Value) -> Error {
    // A double that is not whole is looked up too, and never found.
    match matches!(key, Value::Double(_)) || key.as_key().is_some() {
        true => Error::NoSuchKey(library::conversions::shown(key)),
        false => Error::failed(format!("invalid qualifier type: {}", key.type_name())),
    }
}
