//! The command line, as it is written; nothing is looked up here.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, builder::RangedU64ValueParser};
use clap_complete::Shell;
use patchgate_core::{
    time::parse_duration,
    wave::{Size, Staging},
};

use crate::commands::lab::LabArgs;

/// A regression gate for Enterprise Linux patches.
///
/// Applies a patch set to hosts over SSH, checks them as a remote client with SELinux enforcing, and
/// opens or closes a gate. Exit code 0 is the only "go"; `patchgate exit-codes` lists all of them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Say nothing but errors and the verdict.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job: baseline, patch, checks in every state, comparison, gate.
    Run(RunArgs),
    /// Go on with a run that was killed or stopped; no host is patched twice.
    ///
    /// Needs the run's directory and nothing else: inventory, suites and patch set are not read again. Ends
    /// with the verdict and the exit code of the run; one that had come to its end is judged again. Exit
    /// code 7: another controller works on the run. 6: the record is damaged.
    Resume(ResumeArgs),
    /// Run suites only: nothing is changed on the hosts.
    Check(CheckArgs),
    /// Show what a run would do: what changes on each host, and every check.
    ///
    /// With a patch set, every host is asked what the patch set would do there: which packages come from
    /// which repository, what is held back and why, under which ids the host has the advisories, and where
    /// twins differ. Nothing is changed; the package manager refreshes its own cache. A record is written,
    /// as by every command that connects. Without a patch set, or with `--offline`, nothing is connected to.
    ///
    /// Exit code 0: every host said what it would do, and all that is asked for would be there. Otherwise 3
    /// (that is not so of one, or it could not be reached), 6 (security stop) or 7 (another controller works
    /// on a host).
    Plan(PlanArgs),
    /// Look at hosts and check nothing, or compare two looks: policy, audit, system.
    ///
    /// Connects to every host, reads what it is, writes a record like every other run, and prints a page
    /// for each. Nothing is changed on a host, not even a marker is written to its audit log. What could
    /// not be seen stands on the page with its reason.
    ///
    /// Exit code 0: every host told of itself. Otherwise 3 (a host could not be reached), 6 (security
    /// stop) or 7 (another controller works on a host), whichever `patchgate exit-codes` ranks first.
    /// `--of` and `--diff` read records alone, connect to nothing, and exit with 0 whether or not
    /// anything differs; 6 says that a record is damaged.
    #[command(after_long_help = FACTS_EXAMPLES)]
    Facts(FactsArgs),
    /// Show the inventory as it is understood.
    Hosts(HostsArgs),
    /// Judge a recorded run again, offline; the same record gives the same bytes.
    Judge(JudgeArgs),
    /// Write a report of a recorded run to standard output.
    Report(ReportArgs),
    /// Explain one finding of a recorded run, offline, with all that it rests on.
    Explain(ExplainArgs),
    /// SELinux-enforcing lab machines on this computer.
    Lab(LabArgs),
    /// List every exit code and its meaning.
    ExitCodes,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// An inventory of Ansible's: a file (YAML or INI), an executable, a folder of them, or host names with a
    /// comma. Of several, later ones count more. `docs/inventories.md` tells the rest.
    #[arg(short, long, value_name = "INVENTORY", required = true)]
    pub(crate) inventory: Vec<String>,
    #[command(flatten)]
    pub(crate) choice: Choice,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Choice {
    /// Hosts to take, in Ansible's pattern language: `rebuild:&web:!web3`, `web*`, `~web[0-9]`, `@file`.
    #[arg(short, long, value_name = "PATTERN")]
    pub(crate) limit: Option<String>,
    /// The configuration of OpenSSH's client that counts where the inventory is silent; `none` for none
    /// [default: ~/.ssh/config].
    #[arg(long, value_name = "FILE")]
    pub(crate) ssh_config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Checks {
    /// A suite: the name of a built-in one, or a file [default: httpd and selinux].
    #[arg(short, long = "suite", value_name = "SUITE")]
    pub(crate) suites: Vec<String>,
    /// The gate: what must hold [default: every check of every suite, and complete evidence].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) gate: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Recording {
    /// The directory of the record, which must not exist yet [default: runs/TIME-ID].
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// How many hosts are worked on at once.
    #[arg(short, long, value_name = "N", default_value_t = patchgate_engine::runner::DEFAULT_JOBS,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) jobs: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Waves {
    /// Patch in waves of these sizes, numbers of hosts or percentages of all: `1,5,30%,100%`. The last one
    /// is repeated. A wave begins when all hosts of the one before have ended; the first has a host of
    /// every role. Hosts with `patchgate_wave` in the inventory are not counted: their waves come first.
    #[arg(long, value_name = "SIZES", value_delimiter = ',', value_parser = batch)]
    pub(crate) batch: Vec<Size>,
    /// Begin no further wave once more hosts than this are bad: failed, flaky, unreachable, or not seen to
    /// be well. A number of hosts, or a percentage of all hosts of the run [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) max_bad: Option<Size>,
}

impl Waves {
    /// What these options say, built.
    pub(crate) fn staging(&self) -> Staging {
        Staging {
            batch: self.batch.clone(),
            max_bad: self.max_bad,
        }
    }
}

/// The size of a wave, which is never empty.
fn batch(text: &str) -> Result<Size, String> {
    match text.parse::<Size>() {
        Ok(Size::Hosts(0) | Size::Percent(0)) => Err("a wave has at least one host".to_owned()),
        Ok(size @ (Size::Hosts(_) | Size::Percent(_))) => Ok(size),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Probes {
    /// How often the first remote request of each suite is made, from before the transaction until after
    /// the last state, whether or not the one before was answered: outages between the checks are seen.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = rate)]
    pub(crate) probe_every: Duration,
    /// Ask nothing between the checks. A gate that limits outages cannot be decided so.
    #[arg(long, conflicts_with = "probe_every")]
    pub(crate) no_probes: bool,
}

/// The time from one probe to the next.
fn rate(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_millis(100)..=Duration::from_secs(60);
    let time = parse_duration(text).filter(|time| bounds.contains(time));
    time.ok_or_else(|| "a time with its unit, from 100ms to 60s".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) hosts: Selection,
    /// The patch set: what is applied.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) patch: PathBuf,
    #[command(flatten)]
    pub(crate) checks: Checks,
    #[command(flatten)]
    pub(crate) waves: Waves,
    #[command(flatten)]
    pub(crate) recording: Recording,
    /// Patch hosts that are not marked `patchgate_lab: true` in the inventory.
    #[arg(long)]
    pub(crate) rollout: bool,
    /// Take over hosts that this run left locked, once its work there has ended.
    #[arg(long, value_name = "RUN")]
    pub(crate) break_lock: Option<String>,
    /// Patch hosts that this run left dirty: they were put in order since. Their mark is taken away.
    #[arg(long, value_name = "RUN")]
    pub(crate) clear_dirty: Option<String>,
    #[command(flatten)]
    pub(crate) probes: Probes,
    /// Do not prove a suspected SELinux denial by experiment. Without this, lab hosts run for some seconds
    /// with another loaded policy (a permissive domain), and restore themselves whatever happens.
    #[arg(long)]
    pub(crate) no_experiments: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run's directory.
    pub(crate) run: PathBuf,
    /// How many hosts are worked on at once.
    #[arg(short, long, value_name = "N", default_value_t = patchgate_engine::runner::DEFAULT_JOBS,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) jobs: usize,
    /// Take over hosts that another run left locked, once its work there has ended.
    #[arg(long, value_name = "RUN")]
    pub(crate) break_lock: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) hosts: Selection,
    #[command(flatten)]
    pub(crate) checks: Checks,
    #[command(flatten)]
    pub(crate) recording: Recording,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) hosts: Selection,
    /// The patch set: what is applied.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) patch: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) checks: Checks,
    #[command(flatten)]
    pub(crate) waves: Waves,
    #[command(flatten)]
    pub(crate) recording: Recording,
    /// Connect to nothing: show the checks alone.
    #[arg(long, conflicts_with_all = ["output", "jobs"])]
    pub(crate) offline: bool,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

const FACTS_EXAMPLES: &str = "\
Examples:
  patchgate facts -i inventory.yaml -o before          look, and keep the record in `before`
  patchgate facts -i inventory.yaml -o after           look again, later
  patchgate facts --diff before after                  what differs on each host
  patchgate facts --diff runs/20261121T231400Z-f0d1b5  one run: states, and twins
  patchgate facts --diff before:web1 after:web2        two hosts
  patchgate facts --diff run:web1:baseline run:web1:restarted
  patchgate facts --of runs/20261121T231400Z-f0d1b5    the pages of any recorded run again";

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["inventory", "of", "diff"]))]
pub(crate) struct FactsArgs {
    /// An inventory of the hosts to look at: a file (YAML or INI), an executable, a folder of them, or host
    /// names with a comma. Of several, later ones count more.
    #[arg(short, long, value_name = "INVENTORY")]
    pub(crate) inventory: Vec<String>,
    /// Print the pages of a recorded run again, offline.
    #[arg(long, value_name = "RUN")]
    pub(crate) of: Option<String>,
    /// Print what differs: between two runs, or, of one, between the states of each host and between
    /// rebuild and twin. A run is its directory, with `:HOST` or `:HOST:STATE` behind it for one of its
    /// hosts or states; without a state the last one counts.
    #[arg(long, value_name = "RUN", num_args = 1..=2)]
    pub(crate) diff: Vec<String>,
    /// Hosts to take, in Ansible's pattern language: `rebuild:&web:!web3`, `web*`, `~web[0-9]`, `@file`.
    #[arg(short, long, value_name = "PATTERN", conflicts_with_all = ["of", "diff"])]
    pub(crate) limit: Option<String>,
    /// The configuration of OpenSSH's client that counts where the inventory is silent; `none` for none
    /// [default: ~/.ssh/config].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["of", "diff"])]
    pub(crate) ssh_config: Option<PathBuf>,
    /// A suite whose units, paths and certificates are looked at: the name of a built-in one, or a file
    /// [default: httpd and selinux].
    #[arg(short, long = "suite", value_name = "SUITE", conflicts_with_all = ["of", "diff"])]
    pub(crate) suites: Vec<String>,
    #[command(flatten)]
    pub(crate) recording: Recording,
    /// How to show it. JSON holds everything that was read.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct HostsArgs {
    #[command(flatten)]
    pub(crate) hosts: Selection,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// The run's directory.
    pub(crate) run: PathBuf,
    /// Another gate than the recorded one.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) gate: Option<PathBuf>,
    /// Print the verdict as JSON instead of telling it.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run's directory.
    pub(crate) run: PathBuf,
    /// Which report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// JUnit XML.
    Junit,
    /// The verdict as JSON.
    Json,
    /// Markdown.
    Md,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The run's directory.
    pub(crate) run: PathBuf,
    /// The finding: its id or the beginning of it; not needed where there is only one.
    pub(crate) finding: Option<String>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(crate) format: ExplainFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Markdown.
    Md,
}
