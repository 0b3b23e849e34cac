//! What can go wrong between a module's bytes and its answer, and whose fault
//! each is.
//!
//! It does not print; `report` does. A cause is in `source`, never in the text.

use std::{io, path::PathBuf, time::Duration};

use contract::Problem;

use super::{
    answer::Violation,
    limits::Call,
    store::{Level, LogLine},
};
use host_core::{
    fault::{Blame, Fault},
    name::Digest,
};

/// A module could not be loaded, or a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// wasmtime does not start, or has no room for an instance.
    #[error("cannot run WebAssembly on this machine")]
    Engine {
        /// What wasmtime says.
        source: wasmtime::Error,
    },
    /// The thread behind deadlines does not start.
    #[error("cannot start the thread that watches over deadlines")]
    Thread {
        /// What the system says.
        source: io::Error,
    },
    /// The folder for compiled modules is missing and cannot be made, or
    /// cannot be written.
    #[error("cannot keep compiled modules in `{}`", folder.display())]
    ArtifactFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else could put machine code into the folder.
    #[error(
        "refusing to keep compiled modules in `{}`: {weakness}, who could make this process run any code \
         (hint: give croft a folder of its own, mode 0700)",
        folder.display()
    )]
    ArtifactFolderUnsafe {
        /// The folder.
        folder: PathBuf,
        /// How others get in.
        weakness: Weakness,
    },
    /// The bytes are not a WebAssembly binary.
    #[error("module `{digest}` is not a WebAssembly component: it is {found}")]
    NotWasm {
        /// The module.
        digest: Digest,
        /// What it looks like, and what to do about it.
        found: &'static str,
    },
    /// The bytes are a core module.
    #[error(
        "module `{digest}` is a core WebAssembly module, not a component \
         (hint: make a component of it: `croft module pack FILE -o FILE`)"
    )]
    NotAComponent {
        /// The module.
        digest: Digest,
    },
    /// The component is larger than the sandbox takes.
    #[error("module `{digest}` has {size} bytes, and a component may have {limit}")]
    ModuleTooLarge {
        /// The module.
        digest: Digest,
        /// Its size.
        size: usize,
        /// The bound.
        limit: usize,
    },
    /// The component wants something of the world outside.
    #[error(
        "module `{digest}` imports `{import}`, and a module may import nothing but `croft:composition/log@0.1.0` \
         (hint: `croft module pack` answers WASI inside of the module, or says what its compiler can do)"
    )]
    ForbiddenImport {
        /// The module.
        digest: Digest,
        /// The first import that is refused.
        import: String,
    },
    /// The component speaks another version of the contract, or none.
    #[error("module `{digest}` {found}, and this croft speaks `{}`", super::COMPOSER)]
    WrongContract {
        /// The module.
        digest: Digest,
        /// What it does instead.
        found: String,
        /// What exactly differs, where the name is right.
        source: Option<wasmtime::Error>,
    },
    /// The component is written in a WebAssembly that the sandbox does not run.
    #[error(
        "module `{digest}` uses the WebAssembly proposal `{proposal}`, which croft does not support \
         (hint: switch it off in the compiler)"
    )]
    UnsupportedProposal {
        /// The module.
        digest: Digest,
        /// The proposal's name, as in `threads`.
        proposal: String,
        /// What needs it, and where.
        source: wasmtime::Error,
    },
    /// The component is malformed, or asks for more than any call gets.
    #[error("cannot compile module `{digest}`")]
    CompileFailed {
        /// The module.
        digest: Digest,
        /// What the compiler says.
        source: wasmtime::Error,
    },
    /// The arguments are larger than a call takes. Nothing was run.
    #[error("the input of `{}` has {size} bytes, and {limit} are the most that a module is given", call.name())]
    InputTooLarge {
        /// The module.
        digest: Digest,
        /// The function.
        call: Call,
        /// Bytes of all arguments.
        size: usize,
        /// The bound.
        limit: usize,
    },
    /// What a render is made of is too much to be parsed. Nothing was run.
    #[error(
        "the instance, its children and what it reads have {values} JSON values together, and {limit} are the most that \
         a module is given (hint: text, or fewer and smaller lists)"
    )]
    TooManyInputValues {
        /// The module.
        digest: Digest,
        /// How many there are.
        values: usize,
        /// The bound.
        limit: usize,
    },
    /// The module says that the definition or the instance is wrong.
    #[error("the {} has {}", subject(*call), count(problems))]
    Invalid {
        /// The module.
        digest: Digest,
        /// `prepare`: the definition is wrong; `render`: the instance.
        call: Call,
        /// What is wrong, at least one of them an error.
        problems: Vec<Problem>,
        /// What the module logged.
        log: Vec<LogLine>,
    },
    /// The module gave no answer that can be used.
    #[error("module `{digest}` failed in `{}`", call.name())]
    Failed {
        /// The module.
        digest: Digest,
        /// The function.
        call: Call,
        /// How.
        #[source]
        failure: Failure,
        /// What the module logged.
        log: Vec<LogLine>,
    },
}

/// Why others can write into a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Another user owns it.
    #[error("it belongs to another user")]
    ForeignOwner,
    /// Its mode lets others write.
    #[error("its mode lets other users write to it")]
    ForeignWriters,
}

/// How a module failed in a call.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It computed too long, by its own count of instructions.
    #[error("it used up its fuel of {budget}")]
    OutOfFuel {
        /// What it had.
        budget: u64,
    },
    /// It ran too long, by the clock.
    #[error("it ran for longer than {} s", deadline.as_secs_f32())]
    DeadlineExceeded {
        /// What it had.
        deadline: Duration,
    },
    /// It wanted more memory than a call gets, and stopped when refused.
    #[error("it needs more than the {} KiB of memory or the {table_elements} table elements that a call gets", memory / 1024)]
    OutOfMemory {
        /// Bytes of memory that it had.
        memory: usize,
        /// Table elements that it had.
        table_elements: usize,
    },
    /// It recursed too deeply.
    #[error("it recursed too deeply")]
    StackOverflow,
    /// It panicked or did something that WebAssembly forbids.
    #[error("{trap}{}", said.as_ref().map(|said| format!(": {said}")).unwrap_or_default())]
    Trapped {
        /// What the machine says.
        trap: wasmtime::Trap,
        /// The last error that it logged: a panic's message.
        said: Option<String>,
    },
    /// Its answer is larger than a call may give.
    #[error("it handed over more than {limit} bytes")]
    AnswerTooLarge {
        /// The bound.
        limit: usize,
    },
    /// Its answer breaks the contract.
    #[error("its answer breaks the contract")]
    InvalidAnswer(#[source] Violation),
    /// It says itself that it is at fault.
    #[error("it reports an internal error: {message}")]
    Internal {
        /// Its words.
        message: String,
    },
}

impl Failure {
    fn reason(&self) -> &'static str {
        match self {
            Failure::OutOfFuel { .. } => "OutOfFuel",
            Failure::DeadlineExceeded { .. } => "DeadlineExceeded",
            Failure::OutOfMemory { .. } => "OutOfMemory",
            Failure::StackOverflow => "StackOverflow",
            Failure::Trapped { .. } => "Trapped",
            Failure::AnswerTooLarge { .. } => "AnswerTooLarge",
            Failure::InvalidAnswer(_) => "InvalidAnswer",
            Failure::Internal { .. } => "ModuleInternal",
        }
    }
}

impl Error {
    /// The module that it is about, unless no module is at hand yet.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Error::Engine { .. }
            | Error::Thread { .. }
            | Error::ArtifactFolder { .. }
            | Error::ArtifactFolderUnsafe { .. } => None,
            Error::NotWasm { digest, .. }
            | Error::NotAComponent { digest }
            | Error::ModuleTooLarge { digest, .. }
            | Error::ForbiddenImport { digest, .. }
            | Error::WrongContract { digest, .. }
            | Error::UnsupportedProposal { digest, .. }
            | Error::CompileFailed { digest, .. }
            | Error::InputTooLarge { digest, .. }
            | Error::TooManyInputValues { digest, .. }
            | Error::Invalid { digest, .. }
            | Error::Failed { digest, .. } => Some(digest),
        }
    }

    /// What the module found wrong with its input; empty for any other error.
    pub fn problems(&self) -> &[Problem] {
        if let Error::Invalid { problems, .. } = self { problems } else { &[] }
    }

    /// The same in one line, each once and with its hint; `None` for any other
    /// error.
    pub fn problems_in_words(&self) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        for problem in self.problems() {
            let hint = problem.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
            let said = format!("{problem}{hint}");
            if !words.contains(&said) {
                words.push(said);
            }
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// What the module logged before it failed.
    pub fn log(&self) -> &[LogLine] {
        match self {
            Error::Invalid { log, .. } | Error::Failed { log, .. } => log,
            _ => &[],
        }
    }
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Engine { .. } | Error::Thread { .. } => "SandboxUnavailable",
            Error::ArtifactFolder { .. } | Error::ArtifactFolderUnsafe { .. } => "ArtifactCache",
            Error::NotWasm { .. } => "NotWasm",
            Error::NotAComponent { .. } => "NotAComponent",
            Error::ModuleTooLarge { .. } => "ModuleTooLarge",
            Error::ForbiddenImport { .. } => "ForbiddenImport",
            Error::WrongContract { .. } => "WrongContract",
            Error::UnsupportedProposal { .. } => "UnsupportedProposal",
            Error::CompileFailed { .. } => "CompileFailed",
            Error::InputTooLarge { .. } | Error::TooManyInputValues { .. } => "InputTooLarge",
            Error::Invalid { call: Call::Prepare, .. } => "InvalidDefinition",
            Error::Invalid { call: Call::Render, .. } => "InvalidInstance",
            Error::Failed { failure, .. } => failure.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Engine { .. }
            | Error::Thread { .. }
            | Error::ArtifactFolder { .. }
            | Error::ArtifactFolderUnsafe { .. } => Blame::Host,
            Error::InputTooLarge { .. } | Error::TooManyInputValues { .. } | Error::Invalid { .. } => Blame::Input,
            Error::NotWasm { .. }
            | Error::NotAComponent { .. }
            | Error::ModuleTooLarge { .. }
            | Error::ForbiddenImport { .. }
            | Error::WrongContract { .. }
            | Error::UnsupportedProposal { .. }
            | Error::CompileFailed { .. }
            | Error::Failed { .. } => Blame::Module,
        }
    }
}

/// The last error in a log, which is a panic's message.
pub(super) fn last_error(log: &[LogLine]) -> Option<String> {
    log.iter().rev().find(|line| line.level == Level::Error).map(|line| line.message.clone())
}

fn subject(call: Call) -> &'static str {
    match call {
        Call::Prepare => "definition",
        Call::Render => "instance",
    }
}

/// `1 problem: …`, or `3 problems, the first: …`.
fn count(problems: &[Problem]) -> String {
    match problems {
        [] => "problems".to_owned(),
        [only] => format!("1 problem: {only}"),
        [first, ..] => format!("{} problems, the first: {first}", problems.len()),
    }
}
