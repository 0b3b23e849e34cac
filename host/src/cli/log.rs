//! What croft tells about its work while it works: lines on stderr, never on
//! stdout.

use clap::{ArgAction, ValueEnum};
use tracing_subscriber::EnvFilter;

/// What to tell and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Tell more about what is being done; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// What to log, such as `info` or `warn,kcp=debug`
    #[arg(long, global = true, env = "CROFT_LOG", value_name = "FILTER", value_parser = filter, conflicts_with = "verbose", help_heading = "Global options")]
    pub log: Option<String>,
    /// How to write log lines
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT", help_heading = "Global options")]
    pub log_format: Format,
}

/// How to write log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Begins to log; `usual` is the level of croft's own lines where nothing else
/// is asked for.
pub fn start(args: &Args, usual: &str) {
    let level = match args.verbose {
        0 => usual,
        1 => "debug",
        _ => "trace",
    };
    // The client logs every request that fails, and whoever made it says so too.
    let usual = || format!("warn,kube_client::client::builder=off,host={level},kcp={level},sandbox={level}");
    let filter = args.log.clone().unwrap_or_else(usual);
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr);
    let started = match args.log_format {
        Format::Text => lines.with_ansi(crate::report::Look::of_stderr() == crate::report::Look::Coloured).try_init(),
        Format::Json => lines.json().try_init(),
    };
    if started.is_err() {
        // Somebody logs in this process already; then so does croft.
        tracing::debug!("logging was set up before");
    }
}
