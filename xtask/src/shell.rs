//! Runs the demo's commands: each is printed exactly as a reader could type it,
//! then run, and what it says is shown.
//!
//! It is not a shell: a command is a list of words, quoted only to be printed.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use harness::Guarded;

/// Where commands run and with what environment.
#[derive(Debug)]
pub(crate) struct Shell {
    dir: PathBuf,
    variables: Vec<(String, OsString)>,
    /// Put before PATH, so that `croft` is the one just built.
    programs: PathBuf,
}

impl Shell {
    /// Commands run in `dir` and find `croft` in the folder `programs`.
    pub(crate) fn new(dir: &Path, programs: &Path) -> Shell {
        println!("$ cd {}", quote(&dir.to_string_lossy()));
        println!("$ export PATH={}:$PATH", quote(&programs.to_string_lossy()));
        Shell { dir: dir.to_owned(), variables: Vec::new(), programs: programs.to_owned() }
    }

    /// Sets a variable for all commands from here on, and prints that.
    pub(crate) fn export(&mut self, name: &str, value: &Path) {
        println!("$ export {name}={}", quote(&value.to_string_lossy()));
        self.variables.push((name.to_owned(), value.as_os_str().to_owned()));
    }

    /// Runs a command, shows its output, and expects that it succeeds.
    pub(crate) fn run(&self, line: &str) -> Result<()> {
        println!("$ {line}");
        let status = self.command(line)?.status().with_context(|| format!("cannot start `{line}`"))?;
        ensure!(status.success(), "`{line}` ended with {status}");
        Ok(())
    }

    /// Runs a command and answers what it printed on stdout, which is shown too.
    pub(crate) fn read(&self, line: &str) -> Result<String> {
        println!("$ {line}");
        let text = self.quiet(line)?;
        print!("{text}");
        Ok(text)
    }

    /// Writes a file and prints it as a command would.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        println!("$ cat > {} <<'END'\n{}\nEND", quote(name), text.trim_end());
        fs::write(self.dir.join(name), text).with_context(|| format!("cannot write `{name}`"))
    }

    /// Runs a command again and again until it succeeds and `done` likes what it
    /// prints, which is then shown. The command is printed once.
    pub(crate) fn until(&self, line: &str, within: Duration, done: impl Fn(&str) -> bool) -> Result<String> {
        println!("$ {line}");
        let mut seen = String::new();
        // 200 ms: prompt for a reader, and little for kcp.
        let answer = harness::poll(within, Duration::from_millis(200), || match self.quiet(line) {
            Ok(text) if done(&text) => Ok(Some(text)),
            Ok(text) => {
                seen = text;
                Ok(None)
            }
            Err(error) => {
                seen = format!("{error:#}");
                Ok(None)
            }
        })?;
        let Some(text) = answer else {
            bail!("`{line}` did not answer as expected within {} s; at last:\n{seen}", within.as_secs());
        };
        print!("{text}");
        Ok(text)
    }

    /// Runs a command again and again until `done` likes what it prints on
    /// stdout, however it ends; all that it printed is shown.
    pub(crate) fn until_printed(&self, line: &str, within: Duration, done: impl Fn(&str) -> bool) -> Result<()> {
        println!("$ {line}");
        let mut seen = String::new();
        let printed = harness::poll(within, Duration::from_millis(200), || {
            let output = self.command(line)?.output().with_context(|| format!("cannot start `{line}`"))?;
            let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            seen = format!("{text}{errors}");
            Ok(done(&text).then_some(()))
        })?;
        print!("{seen}");
        ensure!(printed.is_some(), "`{line}` did not print what was expected within {} s", within.as_secs());
        Ok(())
    }

    /// Starts a command that goes on in the background; its output goes to a
    /// file in the folder.
    pub(crate) fn background(&self, line: &str, log: &str) -> Result<Background> {
        println!("$ {line} > {} 2>&1 &", quote(log));
        let log = self.dir.join(log);
        let file = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let mut command = self.command(line)?;
        command.stdout(file.try_clone().context("cannot share the log")?).stderr(file);
        Ok(Background { process: Guarded::spawn(&mut command)?, line: line.to_owned(), log })
    }

    fn quiet(&self, line: &str) -> Result<String> {
        let output = self.command(line)?.output().with_context(|| format!("cannot start `{line}`"))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{line}` ended with {}: {}", output.status, errors.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, line: &str) -> Result<Command> {
        // What is printed must be complete before the command itself prints.
        std::io::stdout().flush().context("cannot print")?;
        let words = split(line).with_context(|| format!("a quote in `{line}` does not end"))?;
        let (program, arguments) = words.split_first().context("the command is empty")?;
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.programs.clone()].into_iter().chain(env::split_paths(&path)));
        let path = path.context("the folder of `croft` cannot be in PATH")?;
        // Looked up here: the child's PATH is not what `Command` searches on every system.
        let found = env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
        let mut command = Command::new(found.with_context(|| format!("there is no `{program}` on PATH"))?);
        command.args(arguments).current_dir(&self.dir).env("PATH", path);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// A command in the background. Ends in order when dropped.
#[derive(Debug)]
pub(crate) struct Background {
    process: Guarded,
    line: String,
    log: PathBuf,
}

impl Background {
    /// Fails, with the end of its log, if it does not run any more.
    pub(crate) fn check(&mut self) -> Result<()> {
        let Some(status) = self.process.try_wait()? else { return Ok(()) };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(15)..].join("\n");
        bail!("`{}` ended with {status}; the end of `{}`:\n{end}", self.line, self.log.display());
    }

    /// Ends it in order: SIGTERM, and force only if that does not help.
    pub(crate) fn end(self) -> Result<()> {
        println!("$ kill %1");
        let status = self.process.end()?;
        ensure!(status.success(), "`{}` ended with {status}", self.line);
        Ok(())
    }
}

/// The words of a line, as `sh` splits it: quotes group, nothing is expanded.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A word as a reader has to type it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(dir: &Path) -> Shell {
        Shell::new(dir, Path::new("/nowhere"))
    }

    #[test]
    fn a_line_is_split_as_sh_would() {
        let words = split(r#"kubectl patch x -p '{"a": "b c"}' "" a"b"c"#).unwrap();
        assert_eq!(words, ["kubectl", "patch", "x", "-p", r#"{"a": "b c"}"#, "", "abc"]);
        assert_eq!(split("it's"), None);
    }

    #[test]
    fn a_word_is_quoted_only_where_needed() {
        assert_eq!(quote("--context=root"), "--context=root");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_command_that_fails_says_which_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let error = shell(dir.path()).read("ls /nowhere/at/all").unwrap_err().to_string();
        assert!(error.starts_with("`ls /nowhere/at/all` ended with exit status"), "{error}");
        let error = shell(dir.path()).run("no-such-program").unwrap_err().to_string();
        assert!(error.contains("there is no `no-such-program` on PATH"), "{error}");
    }

    #[test]
    fn a_file_that_is_written_is_there_for_the_next_command() {
        let dir = tempfile::tempdir().unwrap();
        let shell = shell(dir.path());
        shell.write("a.yaml", "kind: A\n").unwrap();
        assert_eq!(shell.read("cat a.yaml").unwrap(), "kind: A\n");
    }

    #[test]
    fn waiting_ends_with_what_was_seen_at_last() {
        let dir = tempfile::tempdir().unwrap();
        let error = shell(dir.path()).until("echo no", Duration::ZERO, |text| text == "yes\n").unwrap_err();
        assert!(error.to_string().ends_with("at last:\nno\n"), "{error}");
    }

    #[test]
    fn a_background_command_that_ended_is_reported_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut background = shell(dir.path()).background("ls /nowhere/at/all", "ls.log").unwrap();
        let ended = || background.process.try_wait();
        harness::poll(Duration::from_secs(10), Duration::from_millis(1), ended).unwrap().unwrap();
        let error = background.check().unwrap_err().to_string();
        assert!(error.contains("ls.log") && error.contains("/nowhere/at/all"), "{error}");
    }
}
