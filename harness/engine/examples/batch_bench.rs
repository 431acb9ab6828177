//! How long one batch on many hosts takes: `batch_bench [--marked] KEY KNOWN_HOSTS CHECKS ADDRESS...`.
//!
//! CHECKS is a file with one check a line; every host runs them all as one batch. For measuring
//! against other tools and against a protocol floor on the same hosts. `--marked` puts the markers of a
//! window's segments between the checks, one before each and one behind the last, as a run does that
//! collects evidence: with two delays of the network the difference tells the round trips, with one the
//! time that the markers cost on the host.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{env, error::Error, fs, path::PathBuf, sync::Arc, time::Instant};

use patchgate_engine::{
    host::{Batch, Connector as _, Host as _, Item, Reply, Target},
    script::window::segment_item,
    ssh::SshConnector,
};
use tokio::{task::JoinSet, time::Duration};

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut args = env::args().skip(1).peekable();
    let marked = args.next_if_eq("--marked").is_some();
    let mut next = || {
        args.next()
            .ok_or("usage: batch_bench [--marked] KEY KNOWN_HOSTS CHECKS ADDRESS...")
    };
    let (key, known, checks) = (PathBuf::from(next()?), PathBuf::from(next()?), next()?);
    let items = fs::read_to_string(checks)?
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| Item::new(line, Duration::from_secs(30)))
        .collect();
    let items = if marked { with_markers(items) } else { items };
    let batch = Arc::new(Batch::new("bench", items));
    let connector = Arc::new(SshConnector::new());
    let began = Instant::now();
    let mut hosts = JoinSet::new();
    for address in args {
        let target = Target {
            key_files: vec![key.clone()],
            known_hosts: vec![known.clone()],
            ..Target::new(address.clone(), address)
        };
        hosts.spawn(one(Arc::clone(&connector), target, Arc::clone(&batch)));
    }
    let mut passed = 0;
    let mut count = 0;
    while let Some(host) = hosts.join_next().await {
        passed += host??;
        count += 1;
    }
    println!(
        "{count} hosts, {passed} passed, {:.3} s",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A marker before each check and one behind the last.
fn with_markers(checks: Vec<Item>) -> Vec<Item> {
    let marker = |number| segment_item("bench", "w-bench", number);
    let mut items = Vec::new();
    let mut number = 1;
    for check in checks {
        items.extend([marker(number), check]);
        number += 1;
    }
    items.push(marker(number));
    items
}

async fn one(
    connector: Arc<SshConnector>,
    target: Target,
    batch: Arc<Batch>,
) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let mut host = connector.connect(&target).await?;
    let replies = host.run(&batch).await?;
    let passed = replies
        .iter()
        .filter(|reply: &&Reply| reply.is_ok())
        .count();
    // What counts for the clock has happened; a run would go on to its next phase.
    host.close().await;
    Ok(passed)
}
