//! The two containers that borrow their JSON: an element or a field becomes a
//! CEL value when an expression asks for it.

use std::sync::OnceLock;

use cel::{
    ExecutionError,
    common::{
        traits::{Adder, Container, Indexer, Iterable, Iterator, Sizer, Zeroer},
        types::{CelDouble, CelInt, CelList, CelString, CelUInt, Kind, LIST_TYPE, MAP_TYPE, Type},
        value::{CowVal, Val},
    },
};
use serde_json::{Map, Value};

use super::{equal, equal_lists, equal_maps, of_json};

/// A JSON list.
#[derive(Debug)]
pub(super) struct JsonList<'v> {
    json: &'v [Value],
    /// Made when somebody iterates, which lends out references.
    elements: OnceLock<Vec<Box<dyn Val + 'v>>>,
}

impl<'v> JsonList<'v> {
    pub(super) fn new(json: &'v [Value]) -> JsonList<'v> {
        JsonList { json, elements: OnceLock::new() }
    }
}

impl<'v> Val for JsonList<'v> {
    fn get_type(&self) -> &Type {
        &LIST_TYPE
    }
    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }
    fn as_adder<'b, 'w>(&'b self) -> Option<&'b (dyn Adder + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }
    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        other.get_type().kind() == Kind::List && equal_lists(self, other)
    }
    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(JsonList::new(self.json))
    }
}

impl Adder for JsonList<'_> {
    fn add<'b, 'w>(&'b self, rhs: &(dyn Val + 'w)) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        if rhs.get_type().kind() != Kind::List {
            let types = vec!["list".to_owned(), rhs.get_type().name().to_owned()];
            return Err(ExecutionError::no_such_overload("_+_", types));
        }
        let mut sum: Vec<Box<dyn Val + 'w>> = self.json.iter().map(|element| of_json(element) as _).collect();
        if let Some(iterable) = rhs.as_iterable() {
            let mut elements = iterable.iter();
            while let Some(element) = elements.next() {
                sum.push(element.clone_as_boxed());
            }
        }
        Ok(CowVal::owned(CelList::from(sum)))
    }
}

impl Container for JsonList<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.json.iter().any(|element| equal(of_json(element).as_ref(), value)))
    }
}

/// The position that an index means, if it is a whole number.
fn position(index: &dyn Val) -> Option<i64> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64);
    index
        .downcast_ref::<CelInt>()
        .map(|it| *it.inner())
        .or_else(|| index.downcast_ref::<CelUInt>().and_then(|it| i64::try_from(*it.inner()).ok()))
        .or_else(|| index.downcast_ref::<CelDouble>().and_then(|it| whole(*it.inner())))
}

impl Indexer for JsonList<'_> {
    fn get<'b, 'w>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let unexpected =
            || ExecutionError::UnexpectedType { got: index.get_type().name().to_owned(), want: "int".to_owned() };
        let position = position(index).ok_or_else(unexpected)?;
        let element = usize::try_from(position).ok().and_then(|position| self.json.get(position));
        let element = element.ok_or_else(|| ExecutionError::IndexOutOfBounds(position.into()))?;
        Ok(CowVal::Owned(of_json(element)))
    }
    fn steal<'w>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Iterable for JsonList<'_> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn Iterator<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        let elements = self.elements.get_or_init(|| self.json.iter().map(of_json).collect());
        Box::new(Elements { rest: elements.iter() })
    }
}

impl Sizer for JsonList<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(self.json.len() as i64)
    }
}

impl Zeroer for JsonList<'_> {
    fn is_zero_value(&self) -> bool {
        self.json.is_empty()
    }
}

struct Elements<'b, 'v> {
    rest: std::slice::Iter<'b, Box<dyn Val + 'v>>,
}

impl<'b, 'v: 'w, 'w> Iterator<'b, 'w> for Elements<'b, 'v> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'w)> {
        self.rest.next().map(|element| element.as_ref() as _)
    }
}

/// A JSON object.
#[derive(Debug)]
pub(super) struct JsonMap<'v> {
    json: &'v Map<String, Value>,
    /// Made when somebody iterates, in order.
    keys: OnceLock<Vec<CelString<'v>>>,
}

impl<'v> JsonMap<'v> {
    pub(super) fn new(json: &'v Map<String, Value>) -> JsonMap<'v> {
        JsonMap { json, keys: OnceLock::new() }
    }
}

impl<'v> Val for JsonMap<'v> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }
    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }
    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }
    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }
    fn equals(&self, other: &dyn Val) -> bool {
        other.get_type().kind() == Kind::Map && equal_maps(self, other)
    }
    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(JsonMap::new(self.json))
    }
}

impl Container for JsonMap<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(key.downcast_ref::<CelString>().is_some_and(|key| self.json.contains_key(key.inner())))
    }
}

impl Indexer for JsonMap<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        // A key of another type is no error: this map just has none such.
        let name = key.downcast_ref::<CelString>().map(CelString::inner);
        match name.and_then(|name| self.json.get(name)) {
            Some(value) => Ok(CowVal::Owned(of_json(value))),
            None => Err(ExecutionError::no_such_key(name.unwrap_or("a key that is no string"))),
        }
    }
    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Iterable for JsonMap<'_> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn Iterator<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        let keys = self.keys.get_or_init(|| {
            let mut names: Vec<&str> = self.json.keys().map(String::as_str).collect();
            names.sort_unstable();
            names.into_iter().map(CelString::from).collect()
        });
        Box::new(Keys { rest: keys.iter() })
    }
}

impl Sizer for JsonMap<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(self.json.len() as i64)
    }
}

impl Zeroer for JsonMap<'_> {
    fn is_zero_value(&self) -> bool {
        self.json.is_empty()
    }
}

struct Keys<'b, 'v> {
    rest: std::slice::Iter<'b, CelString<'v>>,
}

impl<'b, 'v: 'w, 'w> Iterator<'b, 'w> for Keys<'b, 'v> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'w)> {
        self.rest.next().map(|key| key as _)
    }
}
