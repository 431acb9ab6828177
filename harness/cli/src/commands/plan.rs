//! `patchgate plan`: every check of every host in every state, before anything happens.

use patchgate_core::{
    exit,
    id::{HostName, RunId},
    plan::Plan,
};

use crate::{
    Ended,
    args::{Format, PlanArgs},
    error::CliError,
    files::{self, Loaded},
    out,
};

/// Shows the plan.
pub(crate) fn plan(args: &PlanArgs) -> Ended {
    let loaded = files::load(&args.hosts, &args.checks, args.patch.as_deref())?;
    let waves = files::waves(&loaded, &args.waves)?;
    let Loaded {
        inventory,
        suites,
        patch,
        policy,
    } = loaded;
    let run = RunId::new("plan").map_err(|e| CliError::Bug(e.to_string()))?;
    let plan = Plan {
        waves,
        ..Plan::lay(run, &inventory, suites, patch, policy)
    };
    let text = match args.format {
        Format::Text => text(&plan),
        Format::Json => {
            let json = serde_json::to_string_pretty(&plan);
            json.map_err(|e| CliError::Bug(e.to_string()))? + "\n"
        }
    };
    out::answer(&text)?;
    Ok(if plan.cells.is_empty() {
        exit::NOTHING_RAN
    } else {
        exit::OPEN
    })
}

fn text(plan: &Plan) -> String {
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
    format!("{cells}{waves}{checks} on {hosts}; nothing was connected to\n")
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
