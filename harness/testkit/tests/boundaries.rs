//! Invariant 1, and the edges between the crates: read from the manifests, the lock file, the sources.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names of a section of a manifest.
fn section(manifest: &str, name: &str) -> BTreeSet<String> {
    let head = format!("[{name}]");
    let lines = manifest.lines().skip_while(|l| *l != head).skip(1);
    lines
        .take_while(|l| !l.starts_with('['))
        .filter(|l| !l.starts_with('#') && l.contains('='))
        .map(|l| l.split(['.', ' ', '=']).next().unwrap().to_owned())
        .collect()
}

/// What each package of the lock file depends on, by name.
fn lock() -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in read("Cargo.lock").split("[[package]]").skip(1) {
        let name = package.split("name = \"").nth(1).unwrap();
        let name = name.split('"').next().unwrap().to_owned();
        let list = package.split("dependencies = [").nth(1).unwrap_or_default();
        let list = list.split(']').next().unwrap_or_default();
        let names = list
            .split('"')
            .filter(|w| w.starts_with(|c: char| c.is_ascii_alphanumeric()));
        let names = names.map(|w| w.split(' ').next().unwrap().to_owned());
        graph.entry(name).or_default().extend(names);
    }
    graph
}

fn closure(of: BTreeSet<String>) -> BTreeSet<String> {
    let graph = lock();
    let (mut found, mut next) = (BTreeSet::new(), of.into_iter().collect::<Vec<_>>());
    while let Some(name) = next.pop() {
        assert!(graph.contains_key(&name), "{name} is not in Cargo.lock");
        if found.insert(name.clone()) {
            next.extend(graph[&name].iter().cloned());
        }
    }
    found
}

#[test]
fn invariant_01_core_depends_on_nothing_that_does_io() {
    let direct = section(&read("harness/core/Cargo.toml"), "dependencies");
    assert!(direct.contains("serde"), "the manifest is read: {direct:?}");
    let all = closure(direct);
    for bad in [
        "tokio",
        "ssh2",
        "libssh2-sys",
        "reqwest",
        "hyper",
        "openssl",
        "openssl-sys",
        "rustix",
        "indicatif",
        "clap",
        "junit-report",
        "tempfile",
        "socket2",
        "mio",
        "libc",
        "getrandom",
    ] {
        assert!(
            lock().contains_key(bad),
            "{bad} is nowhere: the list is out of date"
        );
        assert!(!all.contains(bad), "core depends on {bad}");
    }
}

#[test]
fn invariant_01_core_may_not_call_clock_files_environment_or_processes() {
    let text = read("harness/core/clippy.toml");
    for path in [
        "std::time::SystemTime::now",
        "std::time::Instant::now",
        "jiff::Timestamp::now",
        "jiff::Zoned::now",
        "std::fs::read",
        "std::fs::read_to_string",
        "std::fs::write",
        "std::fs::File::open",
        "std::env::var",
        "std::env::var_os",
        "std::process::Command",
        "std::net::TcpStream",
        "std::fs::File",
        "std::thread::sleep",
    ] {
        assert!(
            text.contains(&format!("path = \"{path}\"")),
            "{path} is allowed"
        );
    }
}

/// What clippy's lists cannot name one by one.
#[test]
fn invariant_01_core_names_no_module_that_does_io() {
    for (path, text) in sources("harness/core/src") {
        for bad in [
            "std::fs",
            "std::env",
            "std::process",
            "std::net::Tcp",
            "std::net::Udp",
            "std::thread",
            "std::os",
            "SystemTime",
            "Instant",
            "extern \"C\"",
        ] {
            let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
            let found: Vec<_> = code.filter(|l| l.contains(bad)).collect();
            assert!(found.is_empty(), "{path}: {found:?}");
        }
    }
}

#[test]
fn invariant_02_the_engine_never_judges_and_reporters_never_do() {
    for (folder, allowed) in [("harness/engine/src", false), ("harness/report/src", false)] {
        for (path, text) in sources(folder) {
            assert_eq!(text.contains("judge::judge"), allowed, "{path} judges");
        }
    }
    for (path, text) in sources("harness/engine/src") {
        for word in [
            "core::verdict",
            "core::outcome",
            "core::judge",
            " verdict::",
            " outcome::",
        ] {
            assert!(!text.contains(word), "{path} knows {word}");
        }
    }
}

/// Every source below a folder, tests in files of their own left out.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.display().to_string(), text));
            }
        }
    }
    assert!(found.len() > 10, "{folder} has sources");
    found
}

#[test]
fn the_crates_depend_on_each_other_as_designed() {
    let members: Vec<String> = fs::read_dir(root().join("harness"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| {
            root()
                .join("harness")
                .join(name)
                .join("Cargo.toml")
                .exists()
        })
        .collect();
    let mut edges = BTreeMap::new();
    for member in members {
        let manifest = read(&format!("harness/{member}/Cargo.toml"));
        let ours = |name: &str| -> Vec<String> {
            let all = section(&manifest, name).into_iter();
            all.filter_map(|n| n.strip_prefix("patchgate-").map(ToOwned::to_owned))
                .collect()
        };
        assert!(
            member == "testkit" || !ours("dependencies").contains(&"testkit".to_owned()),
            "{member} needs the testkit outside of tests"
        );
        edges.insert(member.clone(), ours("dependencies"));
    }
    let expected = [
        ("cli", vec!["core", "engine", "report"]),
        ("core", vec![]),
        ("engine", vec!["core"]),
        ("report", vec!["core"]),
        ("testkit", vec!["core", "engine", "report"]),
    ];
    let expected: BTreeMap<String, Vec<String>> = expected
        .into_iter()
        .map(|(n, of)| {
            (
                n.to_owned(),
                of.into_iter().map(ToOwned::to_owned).collect(),
            )
        })
        .collect();
    assert_eq!(edges, expected);
}
