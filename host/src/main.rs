//! The binary `croft`. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    host::cli::main()
}
