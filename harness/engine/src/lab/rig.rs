//! Everything that is needed to run guests, and work on several at once.

use std::{num::NonZero, thread};

use super::{
    accel::{self, Accelerator},
    dirs::LabDirs,
    error::LabError,
    hosts::{Flavour, HostSpec},
    images::{self, Image},
    net::Net,
    progress::{Progress, Report},
    tools::Tools,
};

/// What every start of a guest needs.
pub(super) struct Rig<'a> {
    pub(super) dirs: &'a LabDirs,
    pub(super) net: &'a Net,
    pub(super) tools: Tools,
    pub(super) accelerator: Accelerator,
    pub(super) report: Report<'a>,
}

impl<'a> Rig<'a> {
    /// Makes ready for guests of these hosts: programs, images, accelerator, network.
    pub(super) fn prepare(
        dirs: &'a LabDirs,
        net: &'a Net,
        specs: &[HostSpec],
        build: bool,
        report: Report<'a>,
    ) -> Result<Self, LabError> {
        let tools = Tools::find()?;
        net.check()?;
        if build {
            images::build(dirs, &flavours(specs), report)?;
        }
        let flavour = flavours(specs)
            .first()
            .copied()
            .unwrap_or(Flavour::Upstream);
        let accelerator = accel::choose(dirs, &tools, &Image::load(dirs, flavour)?)?;
        report(&Progress::AcceleratorChosen { accelerator });
        net.up()?;
        Ok(Self {
            dirs,
            net,
            tools,
            accelerator,
            report,
        })
    }
}

/// The flavours of these hosts, each once.
fn flavours(specs: &[HostSpec]) -> Vec<Flavour> {
    let used = |flavour: &Flavour| specs.iter().any(|spec| spec.flavour == *flavour);
    Flavour::ALL.into_iter().filter(used).collect()
}

/// Works on all items, at most one for each processor at a time, and keeps their order.
///
/// More guests than processors fail each other: services time out in all of them.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let width = thread::available_parallelism().map_or(1, NonZero::get);
    let work = &work;
    let mut results = Vec::with_capacity(items.len());
    for chunk in items.chunks(width) {
        thread::scope(|scope| {
            let threads: Vec<_> = chunk
                .iter()
                .map(|item| scope.spawn(move || work(item)))
                .collect();
            results.extend(threads.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }));
        });
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..9).collect();
        assert_eq!(
            in_parallel(&items, |item| item * 2),
            (0..9).map(|n| n * 2).collect::<Vec<_>>()
        );
    }
}
