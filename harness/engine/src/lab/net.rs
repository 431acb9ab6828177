//! The lab's own network: guests on a bridge in one network namespace, the client in another.
//!
//! Neither namespace has a route out. Taps and not QEMU's user-mode forwarding, because that
//! accepts a connection before the guest is asked and so turns "refused" into "reset".

use std::{
    env,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    command,
    error::LabError,
    holder,
    process::{self, Owner, ProcessId},
    tools::tool,
};

/// `ip` answers at once; a busy machine is given half a minute.
pub(super) const IP_LIMIT: Duration = Duration::from_secs(30);
/// Where iproute2 keeps named namespaces, see ip-netns(8).
const NETNS_DIR: &str = "/run/netns";

/// The client's MAC address, which guests have in the memory that is saved.
pub(super) const CLIENT_MAC: &str = "52:54:00:77:00:64";

/// A side of the lab's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where the guests' taps and the bridge are.
    Guests,
    /// Where the remote client is.
    Client,
}

impl Place {
    const ALL: [Self; 2] = [Self::Guests, Self::Client];

    /// The name of the holder's files.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Guests => "guests",
            Self::Client => "client",
        }
    }
}

/// How a namespace is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// By its name, as root.
    Named(String),
    /// Through the process that holds it, in a user namespace.
    Held(ProcessId),
}

impl Entry {
    /// What `ip link … netns` takes.
    fn as_netns(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Held(process) => process.pid.to_string(),
        }
    }
}

/// The network of one lab.
#[derive(Clone, Debug)]
pub(super) struct Net {
    /// First part of the namespaces' names.
    name: String,
    run_dir: PathBuf,
}

impl Net {
    /// Names the network; nothing is made yet.
    pub(super) fn new(name: &str, run_dir: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            run_dir,
        }
    }

    /// Takes the name from PATCHGATE_LAB_NAME, `patchgate` if that is unset.
    pub(super) fn from_env(run_dir: PathBuf) -> Self {
        let name = env::var("PATCHGATE_LAB_NAME").unwrap_or_default();
        Self::new(if name.is_empty() { "patchgate" } else { &name }, run_dir)
    }

    /// The name of a namespace, for root.
    pub(super) fn namespace(&self, place: Place) -> String {
        match place {
            Place::Guests => format!("{}-lab", self.name),
            Place::Client => format!("{}-client", self.name),
        }
    }

    /// A command that runs the arguments it is given in a namespace.
    pub(super) fn enter(&self, place: Place) -> Result<Command, LabError> {
        let mut command = tool("nsenter");
        match self.entry(place).ok_or(LabError::LabDown)? {
            Entry::Named(name) => {
                command.arg(format!("--net={NETNS_DIR}/{name}"));
            }
            Entry::Held(process) => {
                command.args(["--target", &process.pid.to_string(), "--net"]);
                holder::enter_user_namespace(&mut command, process);
            }
        }
        command.arg("--");
        Ok(command)
    }

    /// Says what forbids a network here, before anything is done for it.
    pub(super) fn check(&self) -> Result<(), LabError> {
        let open = File::options().read(true).write(true).open("/dev/net/tun");
        open.map_err(|source| LabError::NoTun { source })?;
        if let Some(pid) = self.stranger() {
            return Err(LabError::NamespaceInUse {
                namespace: self.namespace(Place::Guests),
                pid,
            });
        }
        if is_root() || self.entry(Place::Guests).is_some() {
            Ok(())
        } else {
            holder::check_rights()
        }
    }

    /// Makes both namespaces, or leaves them when they are complete.
    pub(super) fn up(&self) -> Result<(), LabError> {
        if self.is_complete() {
            return Ok(());
        }
        self.down()?;
        self.create()?;
        let client = self
            .entry(Place::Client)
            .ok_or(LabError::LabDown)?
            .as_netns();
        for (place, words) in setup(&client) {
            self.ip(place, &words)?;
        }
        Ok(())
    }

    /// Takes both namespaces away, with every tap in them.
    pub(super) fn down(&self) -> Result<(), LabError> {
        for place in Place::ALL {
            let name = self.namespace(place);
            if is_root() && Path::new(NETNS_DIR).join(&name).exists() {
                command::run_ok(tool("ip").args(["netns", "del", &name]), IP_LIMIT)?;
            }
            holder::stop(&self.run_dir, place);
        }
        Ok(())
    }

    /// A machine of another lab in our namespace, if there is one.
    pub(super) fn stranger(&self) -> Option<u32> {
        let Some(Entry::Named(name)) = self.entry(Place::Guests) else {
            return None;
        };
        let pids = command::run_ok(tool("ip").args(["netns", "pids", &name]), IP_LIMIT).ok()?;
        let strange = |pid: &u32| {
            process::owner(&process::command_line(*pid), &self.run_dir) == Owner::OtherMachine
        };
        pids.lines()
            .filter_map(|line| line.trim().parse().ok())
            .find(strange)
    }

    /// Makes a guest's tap, anew if a dead machine left one.
    pub(super) fn add_tap(&self, octet: u8) -> Result<(), LabError> {
        let tap = tap(octet);
        self.remove_tap(octet)?;
        self.ip(Place::Guests, &format!("tuntap add {tap} mode tap"))?;
        self.ip(Place::Guests, &format!("link set {tap} master br0 up"))
    }

    /// Takes a guest's tap away; fine if there is none.
    pub(super) fn remove_tap(&self, octet: u8) -> Result<(), LabError> {
        let mut command = self.enter(Place::Guests)?;
        command.args(["ip", "link", "del", &tap(octet)]);
        // There is none as a rule, and a tap that stays shows when it is added again.
        command::run(&mut command, IP_LIMIT).map(drop)
    }

    fn entry(&self, place: Place) -> Option<Entry> {
        if let Some(process) = holder::find(&self.run_dir, place) {
            return Some(Entry::Held(process));
        }
        let name = self.namespace(place);
        Path::new(NETNS_DIR)
            .join(&name)
            .exists()
            .then_some(Entry::Named(name))
    }

    fn create(&self) -> Result<(), LabError> {
        if !is_root() {
            return holder::start(&self.run_dir);
        }
        for place in Place::ALL {
            let name = self.namespace(place);
            command::run_ok(tool("ip").args(["netns", "add", &name]), IP_LIMIT).map_err(
                |error| LabError::NoRights {
                    detail: error.to_string(),
                },
            )?;
        }
        Ok(())
    }

    /// Whether the last step of the set-up was done.
    fn is_complete(&self) -> bool {
        let shows = |place, words: &str, want: &str| {
            self.ip_output(place, words)
                .is_ok_and(|text| text.contains(want))
        };
        shows(Place::Guests, "-o link show dev br0 up", "br0")
            && shows(Place::Guests, "-o link show dev veth0 up", "master br0")
            && shows(
                Place::Client,
                "-o -4 addr show dev eth0 up",
                "10.77.0.100/24",
            )
    }

    fn ip(&self, place: Place, words: &str) -> Result<(), LabError> {
        self.ip_output(place, words).map(drop)
    }

    fn ip_output(&self, place: Place, words: &str) -> Result<String, LabError> {
        let mut command = self.enter(place)?;
        command.arg("ip").args(words.split_whitespace());
        command::run_ok(&mut command, IP_LIMIT)
    }
}

/// The name of a guest's tap.
pub(super) fn tap(octet: u8) -> String {
    format!("tap{octet}")
}

/// Whether this process may make named namespaces; inside a held namespace it is only called root.
fn is_root() -> bool {
    rustix::process::geteuid().is_root() && !holder::is_inside_user_namespace()
}

/// Every step from two empty namespaces to the network, in order.
fn setup(client: &str) -> Vec<(Place, String)> {
    // A restored guest goes on answering to the MAC addresses of the time when it was saved. A
    // bridge takes the lowest of its ports' and a veth a random one unless told: seen as stalls
    // of 40 s and more.
    let veth =
        format!("link add veth0 type veth peer name eth0 address {CLIENT_MAC} netns {client}");
    let guests = [
        "link set lo up",
        "link add br0 address 52:54:00:77:00:01 type bridge",
        "addr add 10.77.0.1/24 dev br0",
        "link set br0 up",
        &veth,
        "link set veth0 master br0 up",
    ]
    .map(|words| (Place::Guests, words.to_owned()));
    let client = [
        "link set lo up",
        "addr add 10.77.0.100/24 dev eth0",
        "link set eth0 up",
    ]
    .map(|words| (Place::Client, words.to_owned()));
    guests.into_iter().chain(client).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_makes_a_way_out_of_the_lab() {
        for (_, words) in setup("patchgate-client") {
            assert!(
                !words.contains("route") && !words.contains("default"),
                "{words}"
            );
        }
    }

    #[test]
    fn what_guests_remember_of_the_network_is_the_same_every_time() {
        for (kind, mac) in [
            ("type bridge", "52:54:00:77:00:01"),
            ("name eth0", CLIENT_MAC),
        ] {
            let step = setup("x")
                .into_iter()
                .find(|(_, words)| words.contains(kind));
            assert!(
                step.unwrap().1.contains(&format!("address {mac}")),
                "{kind}"
            );
        }
    }

    #[test]
    fn a_lab_that_was_never_up_cannot_be_entered() {
        let dir = tempfile::tempdir().unwrap();
        let net = Net::new("patchgate-test-none", dir.path().to_owned());
        let error = net.enter(Place::Client).unwrap_err();
        assert_eq!(error.to_string(), "the lab is not up");
    }
}
