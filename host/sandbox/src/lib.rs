//! Runs composition modules: untrusted WebAssembly components that get some
//! JSON, give some JSON and reach nothing else.
//!
//! A [`Sandbox`] loads modules, which takes seconds when a module is new; a
//! [`Module`] answers calls, each in memory of its own that is gone afterwards.
//! Every call is bounded in fuel, time, memory, stack, input and output, and
//! ends in an [`Answer`] of checked values or in an [`Error`] that says whose
//! fault it is.
//!
//! It does not decide what a rendering may contain (`policy` does), where
//! modules come from (`modules` of the host does) or when to call them. Its functions
//! block: call them where blocking is fine.

mod answer;
mod artifacts;
mod bindings;
mod engine;
mod error;
mod interface;
mod json;
mod limits;
mod proposals;
mod rule;
mod store;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::{Observed, Preparation, Rendering, Schema, shape::Size};
use serde_json::Value;
use wasmtime::{
    Engine, PoolConcurrencyLimitError, Store, Trap, WasmBacktrace,
    component::{Component, Linker, types::ComponentItem},
};

pub use self::{
    answer::Violation,
    error::{Error, Failure, Weakness},
    interface::{Form, Interface, Unreadable},
    limits::{Call, Limits, PREPARATIONS, RENDER_FUEL, Time},
    proposals::SUPPORTED,
    store::{Level, LogLine},
};
use self::{
    artifacts::Artifacts,
    bindings::{Guest, GuestPre, PrepareInput, RenderInput},
    engine::{Gate, Ticker},
    json::Keys,
    store::State,
};
use host_core::name::Digest;

/// The export that makes a component a module.
pub const COMPOSER: &str = "croft:composition/composer@0.1.0";

/// Declares the types of the contract. A component that uses them imports
/// their definitions, which is nothing that the host would have to give.
const TYPES: &str = "croft:composition/types@0.1.0";

/// A place where modules run. Clones share it.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

struct Shared {
    engine: Engine,
    linker: Linker<State>,
    limits: Limits,
    artifacts: Option<Artifacts>,
    renders: Gate,
    preparations: Gate,
    compilations: AtomicU64,
    _ticker: Ticker,
}

/// A loaded module. Clones share its code; calls may run at the same time.
#[derive(Clone)]
pub struct Module {
    sandbox: Sandbox,
    digest: Digest,
    pre: GuestPre<State>,
    keys: Keys,
}

/// What a module answered, and what it took.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The checked answer.
    pub value: T,
    /// The fuel that it used: the same number every time for equal arguments.
    pub fuel: u64,
    /// Bytes of all its linear memories, which never shrink.
    pub memory: usize,
    /// What the module logged.
    pub log: Vec<LogLine>,
}

impl Sandbox {
    /// Makes a sandbox. With a folder, compiled modules are kept there for the
    /// next start; it has to be one that nobody else can write to.
    pub fn new(limits: Limits, artifacts: Option<PathBuf>) -> Result<Sandbox, Error> {
        let artifacts = artifacts.map(|folder| Artifacts::open(folder, limits.artifacts)).transpose()?;
        let engine = engine::engine(&limits)?;
        let linker = store::link(&engine).map_err(|source| Error::Engine { source })?;
        let ticker = Ticker::start(engine.clone())?;
        let (renders, preparations) = (Gate::new(limits.concurrency), Gate::new(limits.preparations));
        let compilations = AtomicU64::new(0);
        let shared = Shared { engine, linker, limits, artifacts, renders, preparations, compilations, _ticker: ticker };
        Ok(Sandbox(Arc::new(shared)))
    }

    /// How many modules were compiled here. One that was found in the folder was not.
    pub fn compilations(&self) -> u64 {
        self.0.compilations.load(Ordering::SeqCst)
    }

    /// Loads a module: from the folder of compiled modules if it is there,
    /// else by compiling it, which takes seconds. Never call it within a pass
    /// over an instance.
    pub fn load(&self, wasm: &[u8]) -> Result<Module, Error> {
        let digest = Digest::of(wasm);
        let limit = self.0.limits.component;
        if wasm.len() > limit {
            return Err(Error::ModuleTooLarge { digest, size: wasm.len(), limit });
        }
        recognize(wasm, &digest)?;
        let component = self.component(wasm, &digest)?;
        let pre = self.0.linker.instantiate_pre(&component).and_then(GuestPre::new);
        match pre {
            Ok(pre) => Ok(Module { sandbox: self.clone(), digest, pre, keys: Keys::Sorted }),
            Err(source) => {
                let found = "names the contract, but its functions have other types".to_owned();
                Err(Error::WrongContract { digest, found, source: Some(source) })
            }
        }
    }

    /// Notes that a holder needs a module from now on, and not the one that it needed
    /// before: its compiled form stays.
    pub fn hold(&self, holder: &str, digest: &Digest) {
        if let Some(artifacts) = &self.0.artifacts {
            artifacts.hold(holder, digest);
        }
    }

    /// A holder does not need anything any more.
    pub fn release(&self, holder: &str) {
        if let Some(artifacts) = &self.0.artifacts {
            artifacts.release(holder);
        }
    }

    fn component(&self, wasm: &[u8], digest: &Digest) -> Result<Component, Error> {
        let Shared { engine, artifacts, .. } = &*self.0;
        if let Some(component) = artifacts.as_ref().and_then(|artifacts| artifacts.map(engine, digest)) {
            // It was admitted before it was kept, but this version of croft
            // may be stricter than the one that kept it.
            admit(engine, &component, digest)?;
            return Ok(component);
        }
        proposals::check(wasm, digest)?;
        self.0.compilations.fetch_add(1, Ordering::SeqCst);
        let component = Component::from_binary(engine, wasm)
            .map_err(|source| Error::CompileFailed { digest: digest.clone(), source })?;
        admit(engine, &component, digest)?;
        if let Some(artifacts) = artifacts {
            artifacts.keep(engine, digest, &component);
        }
        Ok(component)
    }
}

impl Module {
    /// The digest of the component's bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The same module, which is given the keys of all JSON objects in another order
    /// than a host gives them. Its answers should be the same.
    #[must_use]
    pub fn with_keys_reversed(&self) -> Module {
        Module { keys: Keys::Reversed, ..self.clone() }
    }

    /// Reads and checks a definition.
    pub fn prepare(&self, definition: &Value, schemas: &[Schema]) -> Result<Answer<Preparation>, Error> {
        let input = PrepareInput::new(definition, schemas, self.keys);
        let ask = |guest: &Guest, store: &mut Store<State>| {
            guest.croft_composition_composer().call_prepare(store, &input.definition, &input.schemas)
        };
        self.call(Call::Prepare, input.size(), ask, answer::preparation)
    }

    /// Refuses an input of `render` by its size, before it is put together.
    ///
    /// # Errors
    /// It is more than a module is given.
    pub fn admits(&self, size: Size) -> Result<(), Error> {
        let limit = self.sandbox.0.limits.input_values;
        if size.values > limit {
            return Err(Error::TooManyInputValues { digest: self.digest.clone(), values: size.values, limit });
        }
        self.bounded(Call::Render, size.bytes)
    }

    fn bounded(&self, call: Call, size: usize) -> Result<(), Error> {
        let limit = self.sandbox.0.limits.input;
        if size <= limit {
            Ok(())
        } else {
            Err(Error::InputTooLarge { digest: self.digest.clone(), call, size, limit })
        }
    }

    /// Renders one instance, given what `prepare` made of its definition.
    pub fn render(&self, program: &[u8], instance: &Value, observed: &[Observed]) -> Result<Answer<Rendering>, Error> {
        let input = RenderInput::new(instance, observed, self.keys);
        let ask = |guest: &Guest, store: &mut Store<State>| {
            guest.croft_composition_composer().call_render(store, program, &input.instance, &input.observed)
        };
        self.call(Call::Render, program.len() + input.size(), ask, answer::rendering)
    }

    /// Runs one call in a fresh instance and checks what it answers. The place
    /// is held until the answer is checked: it bounds the host's memory too.
    fn call<L, T>(
        &self,
        call: Call,
        size: usize,
        ask: impl FnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<Result<L, bindings::Failure>>,
        check: impl FnOnce(L, &Limits) -> Result<T, Violation>,
    ) -> Result<Answer<T>, Error> {
        let Shared { renders, preparations, limits, .. } = &*self.sandbox.0;
        self.bounded(call, size)?;
        let _place = match call {
            Call::Prepare => preparations.enter(),
            Call::Render => renders.enter(),
        };
        let mut store = self.store(call)?;
        let lifted = match self.pre.instantiate(&mut store) {
            Ok(guest) => ask(&guest, &mut store).map_err(Ended::Calling),
            Err(error) => Err(Ended::Starting(error)),
        };
        let fuel = limits.time(call).fuel - store.get_fuel().map_err(|source| Error::Engine { source })?;
        let state = store.into_data();
        let starved = state.starved();
        let memory = state.memory();
        let log = state.into_log();
        match lifted {
            Err(ended) => Err(self.ended(call, ended, starved, log)),
            Ok(Err(failure)) => Err(self.refused(call, failure, log)),
            Ok(Ok(lifted)) => match check(lifted, limits) {
                Ok(value) => Ok(Answer { value, fuel, memory, log }),
                Err(violation) => Err(self.failed(call, Failure::InvalidAnswer(violation), log)),
            },
        }
    }

    /// Memory, meters and log of one call.
    fn store(&self, call: Call) -> Result<Store<State>, Error> {
        let Shared { engine, limits, .. } = &*self.sandbox.0;
        let Time { fuel, deadline } = limits.time(call);
        let mut store = Store::new(engine, State::new(limits));
        store.limiter(|state| state);
        store.set_fuel(fuel).map_err(|source| Error::Engine { source })?;
        store.set_epoch_deadline(Ticker::ticks(deadline));
        // Charged for every string and list before it is copied out of the
        // module, so that neither a huge answer nor a million mentions of one
        // string ever becomes memory of the host.
        store.set_hostcall_fuel(limits.answer);
        Ok(store)
    }

    /// Tells why a call ended without an answer.
    fn ended(&self, call: Call, ended: Ended, starved: bool, log: Vec<LogLine>) -> Error {
        let limits = &self.sandbox.0.limits;
        let Time { fuel: budget, deadline } = limits.time(call);
        let (error, starting) = match ended {
            Ended::Starting(error) => (error, true),
            Ended::Calling(error) => (error, false),
        };
        let out_of_memory = Failure::OutOfMemory { memory: limits.memory, table_elements: limits.table_elements };
        let failure = match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Failure::OutOfFuel { budget },
            Some(Trap::Interrupt) => Failure::DeadlineExceeded { deadline },
            Some(Trap::StackOverflow) => Failure::StackOverflow,
            Some(_) if starved => out_of_memory,
            Some(trap) => Failure::Trapped { trap: *trap, said: error::last_error(&log) },
            None if starting && starved => out_of_memory,
            // Before the module's own code ran there is nothing that it can be
            // blamed for.
            None if starting && !error.is::<WasmBacktrace>() || error.is::<PoolConcurrencyLimitError>() => {
                return Error::Engine { source: error };
            }
            None if is_over_budget(&error) => Failure::AnswerTooLarge { limit: limits.answer },
            // Where the module's code was, such as in a log, says nothing to others.
            None if error.is::<WasmBacktrace>() => {
                Failure::InvalidAnswer(Violation::Abi(wasmtime::Error::msg(error.root_cause().to_string())))
            }
            None => Failure::InvalidAnswer(Violation::Abi(error)),
        };
        self.failed(call, failure, log)
    }

    /// The module itself says that there is no answer.
    fn refused(&self, call: Call, failure: bindings::Failure, log: Vec<LogLine>) -> Error {
        match answer::failure(failure) {
            Ok(contract::Failure::Invalid(problems)) => {
                Error::Invalid { digest: self.digest.clone(), call, problems, log }
            }
            Ok(contract::Failure::Internal(message)) => {
                let message = store::cut(&message, self.sandbox.0.limits.log_line);
                self.failed(call, Failure::Internal { message }, log)
            }
            Err(violation) => self.failed(call, Failure::InvalidAnswer(violation), log),
        }
    }

    fn failed(&self, call: Call, failure: Failure, log: Vec<LogLine>) -> Error {
        Error::Failed { digest: self.digest.clone(), call, failure, log }
    }
}

/// In which half of a call the engine gave up.
enum Ended {
    Starting(wasmtime::Error),
    Calling(wasmtime::Error),
}

/// Whether lifting stopped at `set_hostcall_fuel`. The error's type is private
/// to wasmtime; a test holds the text in place.
fn is_over_budget(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted")
}

/// Tells a component from what is often mistaken for one, by its first bytes.
fn recognize(wasm: &[u8], digest: &Digest) -> Result<(), Error> {
    let digest = digest.clone();
    let text = wasm.trim_ascii_start();
    match wasm {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(Error::NotAComponent { digest }),
        [0, b'a', b's', b'm', ..] => {
            Err(Error::NotWasm { digest, found: "a WebAssembly binary of an unknown version" })
        }
        _ if text.starts_with(b"(") || text.starts_with(b";;") => {
            Err(Error::NotWasm { digest, found: "WebAssembly text (hint: assemble it first, `wasm-tools parse`)" })
        }
        [] => Err(Error::NotWasm { digest, found: "empty" }),
        _ => Err(Error::NotWasm { digest, found: "not a WebAssembly binary, which begins with `\\0asm`" }),
    }
}

/// Checks what a component asks for and what it offers.
fn admit(engine: &Engine, component: &Component, digest: &Digest) -> Result<(), Error> {
    let kind = component.component_type();
    let forbidden = kind.imports(engine).find(|(name, item)| !may_import(engine, name, &item.ty));
    if let Some((import, _)) = forbidden {
        return Err(Error::ForbiddenImport { digest: digest.clone(), import: import.to_owned() });
    }
    let exports: Vec<&str> = kind.exports(engine).map(|(name, _)| name).collect();
    if exports.contains(&COMPOSER) {
        return Ok(());
    }
    let found = match exports.iter().find(|name| name.starts_with("croft:composition/")) {
        Some(other) => format!("exports `{other}`"),
        None => "exports no composer".to_owned(),
    };
    Err(Error::WrongContract { digest: digest.clone(), found, source: None })
}

fn may_import(engine: &Engine, name: &str, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) if name == TYPES => {
            instance.exports(engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
        }
        ComponentItem::ComponentInstance(_) => name == store::LOG,
        _ => false,
    }
}
