//! `patchgate hosts`: the inventory as it is understood.

use patchgate_core::{
    exit,
    inventory::{InventoryHost, Role},
    undo::SnapshotSource,
};

use crate::{
    Ended,
    args::{Format, HostsArgs},
    error::CliError,
    files, out,
};

/// Shows the hosts.
pub(crate) fn hosts(args: &HostsArgs) -> Ended {
    let inventory = files::load_inventory(&args.hosts)?;
    let text = match args.format {
        Format::Text => inventory.hosts.iter().map(line).collect(),
        Format::Json => {
            let json = serde_json::to_string_pretty(&inventory.hosts);
            json.map_err(|e| CliError::Bug(e.to_string()))? + "\n"
        }
    };
    out::answer(&text)?;
    Ok(if inventory.hosts.is_empty() {
        exit::NOTHING_RAN
    } else {
        exit::OPEN
    })
}

fn line(host: &InventoryHost) -> String {
    let role = match host.role {
        Some(Role::Upstream) => "upstream",
        Some(Role::Rebuild) => "rebuild",
        None => "-",
    };
    let twin = host
        .twin
        .as_ref()
        .map(|t| format!(" twin={t}"))
        .unwrap_or_default();
    let wave = host.wave.map(|n| format!(" wave={n}")).unwrap_or_default();
    let snapshot = match host.snapshot {
        Some(SnapshotSource::Lab) => " snapshot=lab",
        Some(SnapshotSource::Libvirt { .. }) => " snapshot=libvirt",
        Some(SnapshotSource::Command(_)) => " snapshot=command",
        None => "",
    };
    let lab = if host.lab { " lab" } else { "" };
    let jump = host.jump.as_ref();
    let jump = jump
        .map(|j| format!(" jump={}@{}:{}", j.user, j.address, j.port))
        .unwrap_or_default();
    let InventoryHost {
        name,
        user,
        address,
        port,
        ..
    } = host;
    let login = format!("{user}@{address}:{port}");
    format!("{name:<24} {login:<32} {role}{twin}{wave}{lab}{snapshot}{jump}\n")
}
