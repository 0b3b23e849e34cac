//! What one call of a module may cost, each number with its reason.
//!
//! It enforces nothing: `engine` and `store` do, and `answer` what is counted
//! after the call.

use std::time::Duration;

use contract::shape;

/// One of the two functions of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Reads and checks a definition.
    Prepare,
    /// Renders one instance.
    Render,
}

impl Call {
    /// Its name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Call::Prepare => "prepare",
            Call::Render => "render",
        }
    }
}

/// How long one call may run.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// The verdict: about one for each WebAssembly instruction, and the same
    /// number on every machine for equal inputs.
    pub fuel: u64,
    /// The safety net, by the wall clock: for work that fuel does not see, and
    /// for a host that is starved. Far beyond what the fuel takes.
    pub deadline: Duration,
}

/// What modules may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For `prepare`.
    pub prepare: Time,
    /// For `render`.
    pub render: Time,
    /// Bytes of a component. Compiling takes seconds for each MiB.
    pub component: usize,
    /// Bytes of compiled modules on disk, but for those that are in force.
    pub artifacts: u64,
    /// Bytes of all linear memories of a call together.
    pub memory: usize,
    /// Elements of all tables of a call together.
    pub table_elements: usize,
    /// Bytes of stack that a module's functions may use.
    pub stack: usize,
    /// Bytes of all arguments of a call together.
    pub input: usize,
    /// JSON values (keys not counted) in what a render is given.
    pub input_values: usize,
    /// Bytes of all strings and lists of an answer together, each counted as
    /// often as the answer mentions it.
    pub answer: usize,
    /// JSON values (keys not counted) in all JSON texts of an answer together.
    pub json_values: usize,
    /// How deep a JSON text may nest.
    pub json_depth: usize,
    /// Lines that are kept of a call's log.
    pub log_lines: usize,
    /// Bytes that are kept of each line, and of what a module says of itself.
    pub log_line: usize,
    /// Renders that run at the same time; others wait for their turn.
    pub concurrency: u32,
    /// Preparations that run at the same time. They have places of their own: they may
    /// take long, and no render waits for them.
    pub preparations: u32,
}

/// The fuel of one render. It is repeated for each change of each instance, so it has
/// a quarter of what `prepare` has: some hundred times what a Rust module takes.
pub const RENDER_FUEL: u64 = 500_000_000;

/// Preparations at the same time. Definitions change rarely: more than one for each core
/// only takes memory.
pub const PREPARATIONS: u32 = 8;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // A Rust module prepares a definition of 50 resources within 50
            // million; an interpreted language takes a hundred times as long
            // for the same. Two to three seconds of one core.
            prepare: Time { fuel: 2_000_000_000, deadline: Duration::from_secs(30) },
            render: Time { fuel: RENDER_FUEL, deadline: Duration::from_secs(10) },
            // An embedded Python takes 19 MB, JavaScript 12, Rust 2.
            component: 48 << 20,
            // Sixty of the largest, or several hundred in Rust.
            artifacts: 2 << 30,
            // An interpreter with its standard library lives in 40 MiB. With 24
            // calls at once, 1.5 GiB is the worst that all modules take together.
            memory: 64 << 20,
            // The largest table seen (Python) has some 10,000 functions.
            table_elements: 64 << 10,
            // Half of the 2 MiB that a thread has by default: the host's own
            // frames need the rest.
            stack: 1 << 20,
            // Five objects of the largest size that Kubernetes stores, or a
            // thousand of 8 KiB; parsed, it still fits the module's memory.
            input: 8 << 20,
            // Twice what an answer may have: a thousand children of 200 values each.
            // Parsed, a value takes 32 bytes and a small object twenty times that; with
            // 16 renders at once, 1 GiB at worst.
            input_values: 2 * shape::JSON_VALUES,
            answer: shape::ANSWER_BYTES,
            // Bytes do not bound what parsing costs: a small object takes 700
            // bytes. So 70 MiB at worst, and enough for 2,000 children.
            json_values: shape::JSON_VALUES,
            // A schema nests two levels for each level of the object: 45 levels
            // of object. Below the 128 where the parser gives up by itself.
            json_depth: shape::JSON_DEPTH,
            // Enough for a panic with its context; a log is not a data channel.
            log_lines: 64,
            log_line: 1024,
            // Renders are pure computation: more than a few for each core only
            // take memory. 16 leaves room for those that run into a limit.
            concurrency: 16,
            preparations: PREPARATIONS,
        }
    }
}

impl Limits {
    /// How many calls run at the same time.
    pub(super) fn calls(&self) -> u32 {
        self.concurrency + self.preparations
    }

    /// How long a call may run.
    pub fn time(&self, call: Call) -> Time {
        match call {
            Call::Prepare => self.prepare,
            Call::Render => self.render,
        }
    }
}
