//! What `declare` hands out for each id, and `render` states objects with.

use std::{cell::RefCell, fmt, marker::PhantomData, rc::Rc};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kind::Kind;
use crate::Role;

/// An object that an instance is made of.
pub type Child<T> = Handle<T, role::Child>;
/// Any number of objects of a kind, told apart by a key.
pub type Collection<T> = Handle<T, role::Collection>;
/// An object of somebody else, found by its name.
pub type External<T> = Handle<T, role::External>;
/// Objects of somebody else, found by their labels.
pub type Externals<T> = Handle<T, role::Externals>;

/// What an id stands for. Only a [`Plan`](super::Plan) makes one, so that nothing
/// is stated or waited for that was not declared. `T` is the type of the objects,
/// `R` one of [`role`].
pub struct Handle<T, R> {
    pub(super) node: Rc<Declared>,
    of: PhantomData<fn() -> (T, R)>,
}

/// What a [`Handle`] stands for.
pub mod role {
    /// One object.
    #[derive(Debug)]
    pub struct Child;
    /// Any number of objects.
    #[derive(Debug)]
    pub struct Collection;
    /// One object of somebody else.
    #[derive(Debug)]
    pub struct External;
    /// Any number of objects of somebody else.
    #[derive(Debug)]
    pub struct Externals;

    /// A role of one object.
    pub trait Single {}
    impl Single for Child {}
    impl Single for External {}

    /// A role of any number of objects.
    pub trait Several {}
    impl Several for Collection {}
    impl Several for Externals {}
}

/// One id as it was declared.
pub(super) struct Declared {
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) role: Role,
    pub(super) kind: Kind,
    pub(super) after: RefCell<Vec<Rc<Declared>>>,
    ready: RefCell<Option<Ready>>,
}

/// Whether an object does what it is for; an error if it is not of the type.
type Test = dyn Fn(&Value) -> serde_json::Result<bool>;

/// When an object does what it is for.
struct Ready {
    what: String,
    test: Box<Test>,
}

impl Declared {
    pub(super) fn new(index: usize, id: String, role: Role, kind: Kind) -> Declared {
        Declared { index, id, role, kind, after: RefCell::default(), ready: RefCell::default() }
    }

    /// What an object that is there still waits for, or `None` if it is ready.
    pub(super) fn unready(&self, object: &Value) -> Option<String> {
        let ready = self.ready.borrow();
        let ready = ready.as_ref()?;
        match (ready.test)(object) {
            Ok(true) => None,
            Ok(false) => Some(format!("waits until {}", ready.what)),
            Err(error) => Some(format!("it is not what the module takes it for: {error}")),
        }
    }

    /// Whether another id has to be ready before this one, perhaps by way of a
    /// third.
    pub(super) fn is_after(&self, index: usize) -> bool {
        self.after.borrow().iter().any(|before| before.index == index || before.is_after(index))
    }
}

impl<T, R> Handle<T, R> {
    pub(super) fn new(node: Rc<Declared>) -> Handle<T, R> {
        Handle { node, of: PhantomData }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.node.id
    }

    /// Says that another one has to be ready before this one can be stated. This
    /// one is deleted first.
    pub fn after<U, S>(self, other: &Handle<U, S>) -> Handle<T, R> {
        self.node.after.borrow_mut().push(other.node.clone());
        self
    }

    /// Says when an object that is there does what it is for. Without, it is
    /// enough that it is there. `what` completes “waits until …”.
    pub fn ready_when(self, what: impl Into<String>, test: impl Fn(&T) -> bool + 'static) -> Handle<T, R>
    where
        T: DeserializeOwned,
    {
        let test = move |object: &Value| T::deserialize(object).map(|object| test(&object));
        *self.node.ready.borrow_mut() = Some(Ready { what: what.into(), test: Box::new(test) });
        self
    }
}

impl<T, R> fmt::Debug for Handle<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.node.id).finish()
    }
}
