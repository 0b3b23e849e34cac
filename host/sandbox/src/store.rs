//! What belongs to one call and ends with it: the count of its memory and its
//! log.
//!
//! Fuel and deadline are wasmtime's own counters; `sandbox` sets them.

use wasmtime::{
    ResourceLimiter, StoreContextMut,
    component::{ComponentType, Lift, Linker, WasmStr},
};

use super::{engine::INSTANCES, limits::Limits};

/// The only import that a module may have.
pub(super) const LOG: &str = "croft:composition/log@0.1.0";

/// What a line costs in fuel beside the instructions that make it, so that a
/// module which only logs runs out of fuel and not of time.
const LINE_FUEL: u64 = 200;

/// How grave a module says a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
pub enum Level {
    /// Something is broken.
    #[component(name = "error")]
    Error,
    /// Something looks wrong.
    #[component(name = "warn")]
    Warn,
    /// Something happened.
    #[component(name = "info")]
    Info,
    /// Something for the module's author.
    #[component(name = "debug")]
    Debug,
}

/// One line that a module logged. Never part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How grave it is.
    pub level: Level,
    /// What it says; a long line is cut and ends in `…`.
    pub message: String,
}

/// The host's side of one call.
pub(super) struct State {
    memory: Quota,
    tables: Quota,
    lines: usize,
    line: usize,
    log: Vec<LogLine>,
}

/// How much of something is used, and whether more was wanted than there is.
struct Quota {
    used: usize,
    limit: usize,
    exceeded: bool,
}

impl Quota {
    fn new(limit: usize) -> Quota {
        Quota { used: 0, limit, exceeded: false }
    }

    /// `own` is the bound that the module itself declared.
    fn grow(&mut self, current: usize, desired: usize, own: Option<usize>) -> bool {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit || own.is_some_and(|own| desired > own) {
            self.exceeded = true;
            return false;
        }
        self.used = used;
        true
    }
}

impl State {
    pub(super) fn new(limits: &Limits) -> State {
        State {
            memory: Quota::new(limits.memory),
            tables: Quota::new(limits.table_elements),
            lines: limits.log_lines,
            line: limits.log_line,
            log: Vec::new(),
        }
    }

    /// Whether the module was refused memory. A refusal shows as `unreachable`
    /// in most languages; this tells it from a panic.
    pub(super) fn starved(&self) -> bool {
        self.memory.exceeded || self.tables.exceeded
    }

    /// Bytes of all linear memories.
    pub(super) fn memory(&self) -> usize {
        self.memory.used
    }

    pub(super) fn into_log(self) -> Vec<LogLine> {
        self.log
    }
}

/// A text as far as it is kept.
pub(super) fn cut(message: &str, limit: usize) -> String {
    let end = message.floor_char_boundary(limit);
    let mark = if end < message.len() { "…" } else { "" };
    format!("{}{mark}", &message[..end])
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, own: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.memory.grow(current, desired, own))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.exceeded = true;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, own: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.tables.grow(current, desired, own))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.tables.exceeded = true;
        Ok(())
    }

    fn instances(&self) -> usize {
        INSTANCES as usize
    }
}

/// A linker that offers `log` and nothing else.
pub(super) fn link(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    linker.instance(LOG)?.func_wrap("log", log)?;
    Ok(linker)
}

/// The message is looked at in the module's memory and copied only as far as
/// it is kept.
fn log(mut store: StoreContextMut<'_, State>, (level, message): (Level, WasmStr)) -> wasmtime::Result<()> {
    let fuel = store.get_fuel()?.saturating_sub(LINE_FUEL);
    store.set_fuel(fuel)?;
    let state = store.data();
    if state.log.len() >= state.lines {
        return Ok(());
    }
    let message = cut(&message.to_str(&store)?, state.line);
    store.data_mut().log.push(LogLine { level, message });
    Ok(())
}
