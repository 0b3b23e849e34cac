//! The binary `croft`. All of it is in the library.

use std::process::ExitCode;

/// A host lives for months and sees instances come and go: what the system's
/// allocator keeps in the arena of each thread is given back by this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    host::cli::main()
}
