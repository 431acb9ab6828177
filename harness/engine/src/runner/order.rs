//! A patch set made ready for a host: advisories found, files brought, and what it would do asked.

use std::{fs::File, io::Read as _, path::Path};

use patchgate_core::{
    event::What,
    patchset::{PatchSet, RpmFile, RpmRead, Selection},
    reading::Reading,
    state::State,
};

use super::link::{Link, Stop};
use crate::{
    host::{Connector, Item, Reply},
    probe::Prober,
    script::{
        transaction::{
            FileThere, Order, Planned, advisories_item, needs_advisories, offered_item, plan_item,
            read_advisories, read_offered, read_plan,
        },
        trouble, upload,
    },
};

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Asks the host what the patch set would bring, and records it. There is an order with a plan only
    /// where all that the patch set names can be had.
    pub(super) async fn plan<'s>(
        &mut self,
        set: &'s PatchSet,
    ) -> Result<(Option<Order<'s>>, Planned), Stop> {
        let ready = match self.find(set).await? {
            Reading::Known(order) => self.bring(order).await?,
            Reading::Missing { why } => Reading::Missing { why },
        };
        let (order, planned) = match ready {
            Reading::Known(order) => {
                let planned = self.ask_plan(&order).await?;
                (Some(order), planned)
            }
            Reading::Missing { why } => (None, unplanned(why)),
        };
        self.record_plan(&planned)?;
        Ok((order, planned))
    }

    /// As [`Self::plan`], and what is held back and why; nothing is changed on the host. What files bring
    /// is known from the files.
    pub(super) async fn preview_plan(&mut self, set: &PatchSet) -> Result<(), Stop> {
        let planned = match self.find(set).await? {
            Reading::Missing { why } => unplanned(why),
            Reading::Known(_) if matches!(set.select, Selection::Rpms(_)) => {
                unplanned("files are brought to a host in a run only".to_owned())
            }
            Reading::Known(order) => {
                let mut planned = self.ask_plan(&order).await?;
                if let Some(preview) = &mut planned.preview
                    && matches!(set.select, Selection::AllUpdates)
                {
                    let asked = vec![offered_item(set)];
                    let replies = self.ask_until_stopped("asking what is held back", asked);
                    preview.held = read_offered(set, &preview.rows, &replies.await?[0]);
                }
                planned
            }
        };
        self.record_plan(&planned)
    }

    /// Finds out what of the advisories the host has.
    async fn find<'s>(&mut self, set: &'s PatchSet) -> Result<Reading<Order<'s>>, Stop> {
        if !needs_advisories(set) {
            return Ok(Reading::Known(Order::new(set)));
        }
        let asked = self.ask_until_stopped("asking for advisories", vec![advisories_item(set)]);
        Ok(read_advisories(set, &asked.await?[0]))
    }

    async fn ask_plan(&mut self, order: &Order<'_>) -> Result<Planned, Stop> {
        let asked = self.ask_until_stopped("planning the transaction", vec![plan_item(order)]);
        Ok(read_plan(order, &asked.await?[0]))
    }

    fn record_plan(&self, planned: &Planned) -> Result<(), Stop> {
        let Planned { packages, preview } = planned.clone();
        let preview = preview.map(Box::new);
        let what = What::PatchPlanned { packages, preview };
        Ok(self.run.write(self.host, Some(State::Patched), what)?)
    }

    /// Brings the files of the patch set to the host.
    async fn bring<'s>(&mut self, order: Order<'s>) -> Result<Reading<Order<'s>>, Stop> {
        let Selection::Rpms(files) = &order.set.select else {
            return Ok(Reading::Known(order));
        };
        let begun = self.upload(vec![upload::begin_item(self.run.plan.run.as_str())]);
        if let Err(why) = begun.await? {
            return Ok(Reading::missing(format!("no place for files: {why}")));
        }
        let mut there = Vec::new();
        for file in files {
            match self.bring_one(file).await? {
                Ok(file) => there.push(file),
                Err(why) => return Ok(Reading::missing(format!("{}: {why}", base(&file.file)))),
            }
        }
        Ok(Reading::Known(Order {
            files: there,
            ..order
        }))
    }

    async fn bring_one(&mut self, file: &RpmFile) -> Result<Result<FileThere, String>, Stop> {
        let Some(RpmRead {
            package, sha256, ..
        }) = &file.read
        else {
            return Ok(Err("it was not read before the run".to_owned()));
        };
        let run = self.run.plan.run.to_string();
        let name = format!("{package}.rpm");
        let mut pieces = match Pieces::open(Path::new(&file.file)) {
            Ok(pieces) => pieces,
            Err(why) => return Ok(Err(why)),
        };
        loop {
            let items = match pieces.next(&run, &name) {
                Ok(items) if items.is_empty() => break,
                Ok(items) => items,
                Err(why) => return Ok(Err(why)),
            };
            if let Err(why) = self.upload(items).await? {
                return Ok(Err(why));
            }
        }
        let joined = self.upload(vec![upload::join_item(&run, &name, sha256)]);
        Ok(joined.await?.map(|()| FileThere {
            path: format!("{}/{name}", upload::directory(&run)),
            sha256: sha256.clone(),
        }))
    }

    /// Does what may be done again; says what went wrong on the host.
    async fn upload(&mut self, items: Vec<Item>) -> Result<Result<(), String>, Stop> {
        let replies = self.ask_until_stopped("bringing files", items).await?;
        let failed = replies.iter().find(|r| !r.is_ok());
        let why = |r: &Reply| trouble(&r.exit, &r.stderr.text());
        Ok(failed.map_or(Ok(()), |r| Err(why(r))))
    }

    /// Takes the files away again that were brought; what cannot be taken away is told.
    pub(super) async fn take_away(&mut self, set: &PatchSet) -> Result<Option<String>, Stop> {
        if !matches!(set.select, Selection::Rpms(_)) {
            return Ok(None);
        }
        let item = upload::end_item(self.run.plan.run.as_str());
        let replies = self.ask("taking files away", vec![item]).await?;
        let why = |r: &Reply| trouble(&r.exit, &r.stderr.text());
        let failed = replies.iter().find(|r| !r.is_ok());
        Ok(failed.map(|r| format!("files that were brought are still there: {}", why(r))))
    }
}

/// A file's name without its folder.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn unplanned(why: String) -> Planned {
    Planned {
        packages: Reading::Missing { why },
        preview: None,
    }
}

/// A file of this machine, piece by piece.
struct Pieces {
    file: File,
    number: usize,
}

impl Pieces {
    fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| format!("cannot be read any more: {e}"))?;
        Ok(Self { file, number: 0 })
    }

    /// The items of the next batch; none at the end.
    fn next(&mut self, run: &str, name: &str) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        while items.len() < upload::PIECES {
            let mut piece = Vec::new();
            let most = upload::PIECE as u64;
            let read = (&mut self.file).take(most).read_to_end(&mut piece);
            read.map_err(|e| format!("cannot be read any more: {e}"))?;
            if piece.is_empty() {
                break;
            }
            items.push(upload::piece_item(run, name, self.number, &piece));
            self.number += 1;
        }
        Ok(items)
    }
}
