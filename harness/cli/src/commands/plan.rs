//! `patchgate plan`: what would change on each host, and every check in every state, before anything
//! happens.

use patchgate_core::{
    exit,
    id::{HostName, RunId},
    inventory::Inventory,
    plan::Plan,
    transaction::{survey, survey_exit},
};
use patchgate_engine::record;
use patchgate_report::planned;

use super::run::{Overrides, Told, Upcoming};
use crate::{
    Ended,
    args::{Format, PlanArgs},
    error::CliError,
    files::{self, Loaded},
    out,
};

/// Shows the plan; asks the hosts where there is something to ask.
pub(crate) fn plan(args: &PlanArgs, told: Told) -> Ended {
    let loaded = files::load(&args.hosts, &args.checks, args.patch.as_deref())?;
    let waves = files::waves(&loaded, &args.waves)?;
    let Loaded {
        inventory,
        suites,
        patch,
        policy,
    } = loaded;
    let asks = patch.is_some() && !args.offline && !inventory.hosts.is_empty();
    let new = asks.then(Upcoming::new).transpose()?;
    let run = match &new {
        Some(new) => new.id.clone(),
        None => RunId::new("plan").map_err(|e| CliError::Bug(e.to_string()))?,
    };
    let plan = Plan {
        preview: asks,
        waves,
        ..Plan::lay(run, &inventory, suites, patch, policy)
    };
    if let Some(new) = new {
        return ask(args, new, plan, &inventory, told);
    }
    out::answer(&match args.format {
        Format::Text => format!("{}; nothing was connected to\n", cells(&plan)),
        Format::Json => json(serde_json::to_string_pretty(&plan))?,
    })?;
    Ok(if plan.cells.is_empty() {
        exit::NOTHING_RAN
    } else {
        exit::OPEN
    })
}

/// A run that changes nothing and checks nothing.
fn ask(args: &PlanArgs, new: Upcoming, plan: Plan, inventory: &Inventory, told: Told) -> Ended {
    let ran = new.carry_out(plan, inventory, &args.recording, Overrides::default(), told)?;
    let record = record::open(&ran.dir)?;
    let hosts = survey(&record.plan, &record.events);
    out::answer(&match args.format {
        Format::Text => {
            let pages = planned::pages(&hosts, out::paint(told.color));
            format!("{pages}\n{}; nothing was changed\n", cells(&record.plan))
        }
        Format::Json => {
            let both = serde_json::json!({ "plan": record.plan, "hosts": hosts });
            json(serde_json::to_string_pretty(&both))?
        }
    })?;
    if !told.quiet {
        out::note(&format!("the record is in {}", ran.dir.path().display()));
    }
    Ok(survey_exit(&record.plan, &record.events))
}

fn json(made: serde_json::Result<String>) -> Result<String, CliError> {
    made.map(|json| json + "\n")
        .map_err(|e| CliError::Bug(e.to_string()))
}

/// Every check, and how many there are; the end of the last line is the caller's.
fn cells(plan: &Plan) -> String {
    let line = |cell: &patchgate_core::plan::Cell| {
        let from = cell.vantage.word();
        format!(
            "{:<20} {:<10} {:<32} from {from}\n",
            cell.host,
            cell.state,
            cell.check.to_string()
        )
    };
    let cells: String = plan.cells.iter().map(line).collect();
    let (checks, hosts) = (
        count(plan.cells.len(), "check"),
        count(plan.hosts.len(), "host"),
    );
    let waves = waves(plan);
    format!("{cells}{waves}{checks} on {hosts}")
}

/// The hosts of each wave.
fn waves(plan: &Plan) -> String {
    let Some(waves) = &plan.waves else {
        return String::new();
    };
    let wave = |(n, hosts): (usize, &Vec<HostName>)| {
        let names: Vec<_> = hosts.iter().map(HostName::as_str).collect();
        format!("wave {n}: {}\n", names.join(", "))
    };
    let told: String = (1..).zip(&waves.hosts).map(wave).collect();
    let max = count(waves.max_bad, "bad host");
    format!("{told}no further wave after more than {max}\n")
}

fn count(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}
