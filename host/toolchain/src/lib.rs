//! Finds a Rust compiler for wasm32-unknown-unknown, and says how it is called.
//!
//! It installs nothing and asks no network: who may do that says so elsewhere.

mod distribution;
mod hints;

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use self::distribution::Distribution;
pub use self::hints::{PACKAGES, hints};

/// What modules are compiled for: it imports nothing.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The variable that asks for one of two compilers.
pub const CHOICE: &str = "CROFT_WASM_TOOLCHAIN";

/// A compiler that can make wasm.
#[derive(Debug)]
pub struct Toolchain {
    kind: Kind,
    /// `rustc -vV`.
    id: String,
}

#[derive(Debug)]
enum Kind {
    /// The one that cargo uses, with the target installed.
    InUse,
    /// The distribution's, which builds the standard library as well.
    Distribution(Distribution),
}

/// Which compiler is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Whichever is there, the one in use first.
    Any,
    /// The one in use, which is rustup's.
    Rustup,
    /// The distribution's.
    Distribution,
}

impl Choice {
    /// What [`CHOICE`] says.
    ///
    /// # Errors
    /// It says something else; the text says what it can be.
    pub fn of_environment() -> Result<Choice, String> {
        match env::var(CHOICE).unwrap_or_default().as_str() {
            "" => Ok(Choice::Any),
            "rustup" => Ok(Choice::Rustup),
            "distribution" => Ok(Choice::Distribution),
            other => Err(format!("`{CHOICE}` is `{other}`; it can be `rustup` or `distribution`")),
        }
    }
}

/// One package to be compiled to a core module.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// The folder of the workspace, or of the package.
    pub root: &'a Path,
    /// The package's name.
    pub name: &'a str,
    /// Cargo's profile.
    pub profile: &'a str,
    /// Apart from what compiles for this machine: compilers of two versions would
    /// throw away each other's work.
    pub target_dir: &'a Path,
    /// What stands for `root` in the messages of panics.
    pub stands_for_root: &'a str,
    /// Whether the lock file is to be left as it is.
    pub locked: bool,
}

impl Toolchain {
    /// One that is there, as far as it is wanted.
    pub fn installed(choice: Choice) -> Option<Toolchain> {
        match choice {
            Choice::Any => in_use().or_else(distribution),
            Choice::Rustup => in_use(),
            Choice::Distribution => distribution(),
        }
    }

    /// What tells compilers apart whose output may differ.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The call that compiles a package to a core module.
    pub fn cargo_rustc(&self, package: &Package<'_>) -> Command {
        let mut command = match &self.kind {
            Kind::InUse => cargo(),
            Kind::Distribution(distribution) => distribution.cargo(),
        };
        // Flags meant for the user's own machine, such as `-C target-cpu`, are
        // wrong for wasm: ours stand in their place.
        command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", self.remaps(package).join("\u{1f}"));
        command.arg("rustc");
        if package.locked {
            command.arg("--locked");
        }
        command.args(["--lib", "--profile", package.profile, "--target", TARGET, "--crate-type", "cdylib"]);
        command.args(["--package", package.name, "--target-dir"]).arg(package.target_dir);
        if matches!(self.kind, Kind::Distribution(_)) {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command.current_dir(package.root);
        command
    }

    /// Paths of this machine must not be in panic messages: they would give the
    /// same sources another digest in another folder.
    fn remaps(&self, package: &Package<'_>) -> Vec<String> {
        let mut paths = vec![(package.root.to_owned(), package.stands_for_root)];
        let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo_home = cargo_home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        paths.extend(cargo_home.map(|home| (home, "/cargo")));
        if let Kind::Distribution(distribution) = &self.kind {
            paths.extend(distribution.sources().into_iter().map(|path| (path, "/rust")));
        }
        paths.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect()
    }
}

impl Package<'_> {
    /// Where the call leaves the core module.
    pub fn output(&self) -> PathBuf {
        // The folder of this profile alone has another name.
        let folder = if self.profile == "dev" { "debug" } else { self.profile };
        self.target_dir.join(TARGET).join(folder).join(format!("{}.wasm", self.name.replace('-', "_")))
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.id.lines().next().unwrap_or("rustc");
        match &self.kind {
            Kind::InUse => write!(f, "{version}, the one in use"),
            Kind::Distribution(_) => write!(f, "{version}, the distribution's, which builds the standard library too"),
        }
    }
}

fn in_use() -> Option<Toolchain> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = text(Command::new(&rustc).args(["--print", "target-libdir", "--target", TARGET]))?;
    let installed = fs::read_dir(libraries.trim()).ok()?.flatten();
    let has_std = installed.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"));
    let id = if has_std { text(Command::new(&rustc).arg("-vV"))? } else { return None };
    Some(Toolchain { kind: Kind::InUse, id })
}

fn distribution() -> Option<Toolchain> {
    let distribution = Distribution::find().ok()?;
    let id = text(distribution.rustc().arg("-vV"))?;
    Some(Toolchain { kind: Kind::Distribution(distribution), id })
}

/// The cargo that runs this program, or the one on the path, without what cargo
/// says of the package that it runs: a build script that reads such a variable
/// would run again whenever cargo is called from here and by hand in turn, and all
/// that needs it be compiled again.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_a_package) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn is_of_a_package(name: &str) -> bool {
    const PREFIXES: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// What a program prints on stdout, if it is there and succeeds.
pub fn text(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_this_package_is_not_passed_on() {
        // Under `cargo test` it says so of itself.
        assert!(env::var_os("CARGO_PKG_NAME").is_some());
        let removed: Vec<_> =
            cargo().get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name.to_owned()).collect();
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(removed.iter().any(|it| it == name), "{name} is passed on");
        }
        assert!(!removed.iter().any(|it| it == "CARGO_HOME" || it == "PATH"));
    }

    #[test]
    fn the_core_module_is_found_where_cargo_leaves_it() {
        let target_dir = Path::new("/t");
        let package = Package {
            root: Path::new("/p"),
            name: "web-app",
            profile: "release",
            target_dir,
            stands_for_root: "/module",
            locked: false,
        };
        assert_eq!(package.output(), Path::new("/t/wasm32-unknown-unknown/release/web_app.wasm"));
    }
}
