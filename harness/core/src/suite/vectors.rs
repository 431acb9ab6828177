//! The key `vectors` of a suite: what else the kernel is asked about its domains.
//!
//! ```yaml
//! domains: [httpd_t]
//! vectors:
//!   - { target: postgresql_port_t, class: tcp_socket }
//! ```

use serde::{Deserialize, Serialize};

use crate::source::{
    Problem,
    grammar::{DOMAIN, is_policy_name},
    reader::{Field, Reader},
};

/// A type and a class that the domains of a suite are asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorTarget {
    /// The type of the object.
    pub target: String,
    /// The class.
    pub class: String,
}

/// Reads the list; without domains there is nobody to ask about.
pub(super) fn read(field: &Field<'_>, domains: &[String]) -> Vec<VectorTarget> {
    if domains.is_empty() {
        let message = "`vectors` asks about nobody: this suite names no `domains`";
        field.sink().report(Problem::new(field.key_span, message));
    }
    let mut found: Vec<VectorTarget> = Vec::new();
    for item in field.list() {
        let Some(target) = read_target(&item) else {
            continue;
        };
        if found.contains(&target) {
            let message = "this stands in `vectors` twice";
            item.sink().report(Problem::new(item.span(), message));
        } else {
            found.push(target);
        }
    }
    found
}

fn read_target(item: &Field<'_>) -> Option<VectorTarget> {
    let reader = Reader::new(item.sink(), item.node, "an item of `vectors`")?;
    let name = |key, what| {
        let field = reader.required(key)?;
        field.parsed(what, |t| is_policy_name(t).then(|| t.to_owned()))
    };
    let target = name("target", DOMAIN);
    let class = name("class", "an object class, as `tcp_socket`");
    reader.finish();
    Some(VectorTarget {
        target: target?,
        class: class?,
    })
}
