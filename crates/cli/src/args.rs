//! The command line, declared once: parser, help and completions come from here.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::moment;

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 it failed, 2 wrong usage or configuration, 3 not found,
4 no answer from the supervisor, 130 interrupted.";

/// Runs a development environment: every process of it, in order, watched, its output kept.
#[derive(Debug, Parser)]
#[command(name = "forge", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that stand before or after the command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Work as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = "Global options")]
    pub(crate) directory: Vec<PathBuf>,
    /// One JSON document on stdout (a stream: one object a line), and nothing else
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// When to use colour [NO_COLOR is obeyed]
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Global options", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Start an environment, processes or groups, and wait until all are ready
    Start(Start),
    /// Stop an environment (dependents first) or processes; returns when nothing of them is left
    Stop(Stop),
    /// Stop and start again; counts, logs and moved ports are kept
    Restart(Restart),
    /// End processes now, with SIGKILL to their whole trees
    Kill(Names),
    /// How things stand: the table, totals, health, recent events, warnings
    Status(Status),
    /// What the processes wrote: history and live, merged by time
    #[command(after_help = LOGS_HELP)]
    Logs(Logs),
    /// Full-screen live view: the machine, processes with sparklines, alerts
    #[command(after_help = MONITOR_HELP)]
    Monitor(Monitor),
    /// Check the configuration and this machine; runs nothing of the workspace's
    Check(Environment),
    /// The workspaces that the tray and the window show
    Workspaces(Workspaces),
    /// The supervisor with no window, in the foreground
    #[command(after_help = SERVE_HELP)]
    Serve(Serve),
    /// Send a signal to a process
    Signal(Signal),
    /// Write a line to a process's input
    Send(Send),
    /// The terminal of a `tty` process, with your keyboard in it
    #[command(after_help = ATTACH_HELP)]
    Attach(Attach),
    /// Run one command with an environment's variables
    Run(Run),
    /// Open a process's URL in the browser
    Open(Open),
    /// The configuration as resolved, each value with its origin
    Config(Environment),
    /// Forge's own health: folders, socket, keepers, its own log
    Doctor,
    /// Print completions for a shell
    Completions(Completions),
    /// Print the version
    Version,
}

const LOGS_HELP: &str = "\
Times: 2026-11-21T14:30:15Z, `2026-11-21 14:30`, `14:30` (today), or an age: 10m, 1h30m.
On a terminal -f has the whole of it, and keys: ? lists them, / searches, f filters.
Ctrl-C ends -f with exit code 130. A reader that goes away (| head) is no error.
--save writes plain text, or JSON lines if FILE ends in .jsonl, and compresses if it
ends in .gz; a file that has something in it already is left alone.
--patterns clusters the lines, the worst level first. Those that only the present run
has are `new`. With --json one object a line.";

const MONITOR_HELP: &str = "\
? lists the keys, q quits and leaves everything running. Without a terminal it
prints how things are, once; with --json an object a second for each environment.";

const SERVE_HELP: &str = "\
Ctrl-C or SIGTERM ends the supervisor and leaves the processes running; the next
command finds them again.
--http prints one line on stdout, the URL with a new token in it. From another
machine: ssh -L 8080:127.0.0.1:8080 HOST, and --http 127.0.0.1:8080 there.";

const ATTACH_HELP: &str = "\
Ctrl-] or Ctrl-P Ctrl-Q detaches and leaves the process running.";

#[derive(Debug, Clone, Args)]
pub(crate) struct Start {
    /// Environments, processes or groups [default: `dev`, or the only environment]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Return at once instead of waiting until all are ready
    #[arg(short, long, conflicts_with = "attach")]
    pub(crate) detach: bool,
    /// Stay and stream the logs; Ctrl-C stops what this started
    #[arg(short, long)]
    pub(crate) attach: bool,
    /// How long to wait: 90s, 5m, 1m30s
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = forge_config::parse_duration)]
    pub(crate) timeout: Duration,
    /// What to do when a declared port is held by something else; this version can `kill`, `next` and `fail`
    #[arg(long, value_name = "WHAT")]
    pub(crate) on_conflict: Option<OnConflict>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Workspaces {
    #[command(subcommand)]
    pub(crate) act: Option<WorkspacesAct>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum WorkspacesAct {
    /// Show them [default]
    List,
    /// Show the workspace around a folder from now on
    Add {
        /// [default: this folder]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Where there is no configuration yet, write an example into the folder
        #[arg(long)]
        create: bool,
    },
    /// Show it no longer; nothing of it is deleted
    Remove {
        /// [default: this folder]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Confirm that what it runs may be started from the tray and the window
    Trust {
        /// [default: this folder]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// Ask on the terminal
    Ask,
    /// End what holds the port
    Kill,
    /// Use the next free port
    Next,
    /// Take what holds the port as the process
    Attach,
    /// Give up and say who holds it
    Fail,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Stop {
    /// Environments, processes or groups [default: what runs, if it is one environment]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Everything of every workspace
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Restart {
    /// Environments, processes or groups [default: what runs, if it is one environment]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Names {
    /// Processes, groups or environments
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Status {
    /// [default: what runs, if it is one environment; else `dev`, or the only one]
    #[arg(value_name = "ENV")]
    pub(crate) environment: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Monitor {
    /// [default: what runs of this workspace; else `dev`, or the only one]
    #[arg(value_name = "ENV")]
    pub(crate) environment: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Environment {
    /// One environment [default: all]
    #[arg(value_name = "ENV")]
    pub(crate) environment: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Logs {
    /// Processes, groups or environments [default: what runs, if it is one environment]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Go on with what is written from now on
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only the last N lines of the programs, after merging
    #[arg(short = 'n', long = "tail", visible_alias = "lines", value_name = "N")]
    pub(crate) tail: Option<u64>,
    /// From this time on
    #[arg(long, value_name = "TIME", value_parser = moment::moment)]
    pub(crate) since: Option<forge_api::Time>,
    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = moment::moment)]
    pub(crate) until: Option<forge_api::Time>,
    /// This level or a worse one
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<Level>,
    /// Only lines that match
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub(crate) grep: Option<String>,
    /// --grep ignores case
    #[arg(short, long, requires = "grep")]
    pub(crate) ignore_case: bool,
    /// Only lines that do not match --grep
    #[arg(short = 'v', long, requires = "grep")]
    pub(crate) invert: bool,
    /// Lines around each match of --grep
    #[arg(long, value_name = "LINES", default_value_t = 0)]
    pub(crate) context: u32,
    /// Only the Nth run of each process
    #[arg(long, value_name = "N")]
    pub(crate) run: Option<u32>,
    /// Only this stream
    #[arg(long, value_name = "STREAM")]
    pub(crate) stream: Option<Stream>,
    /// Write to FILE instead
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// What the lines have in common: how often, since when, new or not; and errors over time
    #[arg(long, conflicts_with_all = ["follow", "tail", "context", "save"])]
    pub(crate) patterns: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl From<Level> for forge_api::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl From<Stream> for forge_api::Stream {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Stdout => Self::Stdout,
            Stream::Stderr => Self::Stderr,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// Also serve the page, and the interface over a WebSocket, on this address of the loopback; port 0 takes a free
    /// one. The URL that it prints lets whoever has it in
    #[arg(long, value_name = "ADDR", value_parser = forge_web::parse_address)]
    pub(crate) http: Option<SocketAddr>,
    /// Started by another command: no terminal, one line on stdout when it listens, gone after ten idle minutes
    #[arg(long, hide = true, conflicts_with = "http")]
    pub(crate) background: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Signal {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// SIGHUP, hup or 1
    #[arg(value_name = "SIGNAL")]
    pub(crate) signal: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Send {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: String,
    /// Without a line feed at its end
    #[arg(long)]
    pub(crate) no_newline: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Attach {
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    /// [default: `dev`, or the only environment]
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    /// Program and arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Open {
    /// [default: the process that nothing else depends on]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Completions {
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, ColorChoice, Command};

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_declaration_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in
            ["forge --json -C x --color never status dev", "forge status dev -C x --json --color never"]
        {
            let cli = parse(line).expect(line);
            assert!(cli.global.json, "{line}: --json");
            assert_eq!(cli.global.color, ColorChoice::Never, "{line}: --color");
            assert_eq!(cli.global.directory, [std::path::PathBuf::from("x")], "{line}: -C");
        }
    }

    #[test]
    fn run_passes_the_commands_own_options_on() {
        for line in ["forge run --env dev -- psql -c x --json", "forge run --env dev psql -c x --json"] {
            let cli = parse(line).expect(line);
            let Some(Command::Run(run)) = cli.command else { panic!("{line}: not run") };
            assert_eq!(run.command, ["psql", "-c", "x", "--json"], "{line}");
            assert!(!cli.global.json, "{line}: --json is the command's");
        }
    }

    #[test]
    fn what_cannot_go_together_is_refused() {
        for line in [
            "forge start -d -a",
            "forge stop --all dev",
            "forge kill",
            "forge logs -v",
            "forge logs --level loud",
            "forge start --timeout soon",
            "forge start --on-conflict shrug",
            "forge serve --http 8080",
            "forge serve --background --http 127.0.0.1:0",
            "forge monitor dev test",
        ] {
            assert!(parse(line).is_err(), "{line} was accepted");
        }
    }

    #[test]
    fn text_to_send_may_begin_with_a_dash() {
        let cli = parse("forge send repl -x --no-newline").expect("parsed");
        let Some(Command::Send(send)) = cli.command else { panic!("not send") };
        assert_eq!((send.text.as_str(), send.no_newline), ("-x", true), "text and option");
    }
}
