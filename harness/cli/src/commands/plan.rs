//! `patchgate plan`: every check of every host in every state, before anything happens.

use patchgate_core::{exit, id::RunId, plan::Plan};

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
    let Loaded {
        inventory,
        suites,
        patch,
        policy,
    } = loaded;
    let run = RunId::new("plan").map_err(|e| CliError::Bug(e.to_string()))?;
    let plan = Plan::lay(run, &inventory, suites, patch, policy);
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
    format!("{cells}{checks} on {hosts}; nothing was connected to\n")
}

fn count(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}
