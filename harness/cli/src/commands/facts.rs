//! `patchgate facts`: hosts as they are, and what differs between two looks at them.

use std::path::Path;

use patchgate_core::{
    event::Event,
    exit,
    id::HostName,
    ledger::Ledger,
    plan::Plan,
    snapshot::{
        looked::{exit_code, looked},
        pairs::{Pairs, Recorded, across, within},
    },
    state::State,
};
use patchgate_engine::record::{self, Record};
use patchgate_report::{differences, facts as pages};

use super::{
    judge::{existing, open},
    run::{Overrides, Told, Upcoming},
};
use crate::{
    Ended,
    args::{Choice, FactsArgs, Format, Selection, When},
    error::CliError,
    files, out,
};

/// Looks at hosts, tells a recorded look again, or compares two.
pub(crate) fn facts(args: &FactsArgs, told: Told) -> Ended {
    if args.inventory.is_empty() && args.recording.output.is_some() {
        let usage = CliError::usage("`--output` is for a new record, and none is written here");
        return Err(usage.hint("leave it out, or name an inventory"));
    }
    match (args.inventory.as_slice(), &args.of, args.diff.as_slice()) {
        ([], Some(run), _) => again(run, args.format, told.color),
        ([], None, runs) => diff(runs, args.format, told.color),
        (inventory, _, _) => look(inventory, args, told),
    }
}

/// A run that checks nothing.
fn look(inventory: &[String], args: &FactsArgs, told: Told) -> Ended {
    let hosts = Selection {
        inventory: inventory.to_owned(),
        choice: Choice {
            limit: args.limit.clone(),
            ssh_config: args.ssh_config.clone(),
        },
    };
    let (inventory, suites) = files::load_look(&hosts, &args.suites)?;
    let new = Upcoming::new()?;
    let plan = Plan::look(new.id.clone(), &inventory, suites);
    if plan.hosts.is_empty() {
        out::error("nothing to look at: no host is left");
        return Ok(exit::NOTHING_RAN);
    }
    let ran = new.carry_out(
        plan,
        &inventory,
        &args.recording,
        Overrides::default(),
        told,
    )?;
    let Record { plan, events, .. } = record::open(&ran.dir)?;
    tell(&plan, &events, args.format, told.color)?;
    if !told.quiet {
        out::note(&format!("the record is in {}", ran.dir.path().display()));
    }
    Ok(exit_code(&plan, &events))
}

/// The pages of a record.
fn again(run: &str, format: Format, color: When) -> Ended {
    let chosen = Chosen::open(run)?;
    let mut plan = chosen.record.plan;
    plan.hosts
        .retain(|h| chosen.host.as_ref().is_none_or(|wanted| h.name == *wanted));
    if chosen.state.is_some() {
        return Err(
            CliError::usage(format!("`{run}`: a page is of a host's last state"))
                .hint("name no state, or compare states with `--diff`"),
        );
    }
    tell(&plan, &chosen.record.events, format, color)?;
    Ok(exit::OPEN)
}

fn tell(plan: &Plan, events: &[Event], format: Format, color: When) -> Result<(), CliError> {
    let all = looked(plan, events);
    out::answer(&match format {
        Format::Text => pages::pages(&all, out::paint(color)),
        Format::Json => json(serde_json::to_string_pretty(&all))?,
    })
}

/// What differs, from records alone.
fn diff(runs: &[String], format: Format, color: When) -> Ended {
    let chosen: Vec<Chosen> = runs
        .iter()
        .map(|r| Chosen::open(r))
        .collect::<Result<_, _>>()?;
    let ledgers: Vec<Ledger> = chosen
        .iter()
        .map(|c| Ledger::fold(&c.record.events))
        .collect();
    let recorded: Vec<_> = chosen
        .iter()
        .zip(&ledgers)
        .map(|(c, l)| c.recorded(l))
        .collect();
    let pairs = match recorded.as_slice() {
        [one] => within(one),
        [one, other, ..] => across(one, other),
        [] => Pairs::default(),
    };
    if pairs.laid.is_empty() {
        return Err(nothing_to_compare(runs, &pairs));
    }
    out::answer(&match format {
        Format::Text => differences::told(&pairs, out::paint(color)),
        Format::Json => json(serde_json::to_string_pretty(&pairs))?,
    })?;
    Ok(exit::OPEN)
}

fn nothing_to_compare(runs: &[String], pairs: &Pairs) -> CliError {
    let mut message = format!("there is nothing to compare in {}", runs.join(" and "));
    if !pairs.left_out.is_empty() {
        message = format!("{message}: {}", pairs.left_out.join("; "));
    }
    CliError::usage(message).hint(match runs {
        [_] => "a run with one state can be compared with another run: `--diff RUN OTHER`",
        _ => "hosts with different names are compared as `--diff RUN:HOST OTHER:HOST`",
    })
}

/// A record, and what of it was asked for.
struct Chosen {
    record: Record,
    host: Option<HostName>,
    state: Option<State>,
}

impl Chosen {
    /// Opens `RUN`, `RUN:HOST` or `RUN:HOST:STATE`; a directory of that very name comes first.
    fn open(text: &str) -> Result<Self, CliError> {
        let (path, host, state) = split(text)?;
        let record = open(&existing(Path::new(path))?)?;
        let host = host.map(|name| known(&record.plan, name)).transpose()?;
        Ok(Self {
            record,
            host,
            state,
        })
    }

    fn recorded<'a>(&'a self, ledger: &'a Ledger) -> Recorded<'a> {
        Recorded {
            plan: &self.record.plan,
            ledger,
            host: self.host.clone(),
            state: self.state,
        }
    }
}

type Parts<'a> = (&'a str, Option<&'a str>, Option<State>);

fn split(text: &str) -> Result<Parts<'_>, CliError> {
    if Path::new(text).exists() {
        return Ok((text, None, None));
    }
    let Some((before, last)) = text.rsplit_once(':') else {
        return Ok((text, None, None));
    };
    if Path::new(before).exists() {
        return Ok((before, Some(last), None));
    }
    match before.rsplit_once(':') {
        Some((path, host)) if Path::new(path).exists() => {
            Ok((path, Some(host), Some(state(last)?)))
        }
        Some(_) | None => Ok((text, None, None)),
    }
}

fn state(word: &str) -> Result<State, CliError> {
    let all = State::ALL;
    let words: Vec<_> = all.iter().map(|s| s.word()).collect();
    let found = all.into_iter().find(|s| s.word() == word);
    found.ok_or_else(|| {
        CliError::usage(format!("there is no state `{word}`"))
            .hint(format!("the states are {}", words.join(", ")))
    })
}

fn known(plan: &Plan, name: &str) -> Result<HostName, CliError> {
    let found = plan.hosts.iter().find(|h| h.name.as_str() == name);
    found.map(|h| h.name.clone()).ok_or_else(|| {
        let names: Vec<_> = plan.hosts.iter().map(|h| h.name.to_string()).collect();
        CliError::usage(format!("run {} has no host `{name}`", plan.run))
            .hint(format!("its hosts are {}", names.join(", ")))
    })
}

fn json(made: serde_json::Result<String>) -> Result<String, CliError> {
    made.map(|json| json + "\n")
        .map_err(|e| CliError::Bug(e.to_string()))
}
