//! What changed between two tables of access vectors.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    access::{Query, VectorTable},
    context::Context,
};

/// The change of one answer. All lists are sorted names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorChange {
    /// The type of the process.
    pub source_type: String,
    /// The type of the object.
    pub target_type: String,
    /// The class.
    pub class: String,
    /// Permissions that were given and are not any more.
    pub lost: Vec<String>,
    /// Permissions that were not given and are now.
    pub gained: Vec<String>,
    /// Of `lost`, those whose refusal leaves no record: silent denials.
    pub silenced: Vec<String>,
    /// Refused before and after, and recorded no more.
    pub newly_silent: Vec<String>,
    /// Refused before and after, and recorded now.
    pub newly_audited: Vec<String>,
    /// True when the source domain is permissive now, so that nothing of this is enforced.
    pub permissive: bool,
    /// The query behind it.
    pub query: Query,
}

/// What two tables tell when laid side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorDiff {
    /// The answers that changed, in the order of the queries.
    pub changes: Vec<VectorChange>,
    /// Queries that only one table can answer: nothing is known about their change.
    pub uncompared: Vec<Query>,
}

/// Compares by the permissions' names, for a new policy may number its bits anew.
#[must_use]
pub fn diff(before: &VectorTable, after: &VectorTable) -> VectorDiff {
    let queries: BTreeSet<&Query> = before.vectors.keys().chain(after.vectors.keys()).collect();
    let mut diff = VectorDiff::default();
    let mut classes = before.classes.iter();
    let numbered_alike = classes.all(|(name, class)| after.classes.get(name) == Some(class));
    for query in queries {
        if numbered_alike && is_same(before, after, query) {
            continue;
        }
        match compare(before, after, query) {
            Some(change) => diff.changes.extend(change),
            None => diff.uncompared.push(query.clone()),
        }
    }
    diff
}

/// Whether the answers of two tables with the same classes are the same, bit by bit: of thousands nearly
/// all are, and names need not be looked up for them.
fn is_same(before: &VectorTable, after: &VectorTable, query: &Query) -> bool {
    let masks = |table: &VectorTable| {
        let known = table.classes.contains_key(query.class());
        let vector = table.vectors.get(query).filter(|_| known)?;
        Some((vector.allowed, vector.auditdeny))
    };
    masks(before).is_some_and(|was| masks(after) == Some(was))
}

/// The change of one answer: `None` when it cannot be told, `Some(None)` when there is none.
fn compare(
    before: &VectorTable,
    after: &VectorTable,
    query: &Query,
) -> Option<Option<VectorChange>> {
    let (was, is) = (before.allowed(query)?, after.allowed(query)?);
    let (was_silent, is_silent) = (before.silent(query)?, after.silent(query)?);
    let lost: BTreeSet<_> = was.difference(&is).cloned().collect();
    let gained: BTreeSet<_> = is.difference(&was).cloned().collect();
    let list = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>();
    let newly_silent = list(
        &mut is_silent
            .difference(&was_silent)
            .filter(|name| !lost.contains(*name)),
    );
    let newly_audited = list(
        &mut was_silent
            .difference(&is_silent)
            .filter(|name| !gained.contains(*name)),
    );
    let change = VectorChange {
        source_type: type_of(query.source()),
        target_type: type_of(query.target()),
        class: query.class().to_owned(),
        silenced: list(&mut lost.intersection(&is_silent)),
        lost: lost.into_iter().collect(),
        gained: gained.into_iter().collect(),
        newly_silent,
        newly_audited,
        permissive: after
            .vectors
            .get(query)
            .is_some_and(|vector| vector.is_permissive()),
        query: query.clone(),
    };
    let lists = [
        &change.lost,
        &change.gained,
        &change.newly_silent,
        &change.newly_audited,
    ];
    Some(lists.iter().any(|list| !list.is_empty()).then_some(change))
}

/// The type of a context, or all of it when it has none.
fn type_of(context: &str) -> String {
    Context::parse(context).map_or_else(|| context.to_owned(), |context| context.type_)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{compare, diff};
    use crate::evidence::{
        access::{Query, VectorTable, silent_denials},
        vectors::parse_vectors,
    };

    const HTTPD: &str = "system_u:system_r:httpd_t:s0";

    /// The permissions of `tcp_socket` as a lab guest's kernel listed them.
    const PERMISSIONS: &str = include_str!("../../tests/captured/audit/lab/tcp_socket.perms");

    fn query() -> Query {
        Query::new(HTTPD, HTTPD, "tcp_socket").unwrap()
    }

    /// A table that holds the answer for httpd_t's own TCP sockets.
    fn table(permissions: &str, answer: &str) -> VectorTable {
        let perms = permissions
            .lines()
            .map(|line| format!("perm tcp_socket {line}\n"));
        let text = format!(
            "vectors begin 1\nclass tcp_socket 7\n{}av {HTTPD} {HTTPD} tcp_socket : {answer}\nvectors end 1\n",
            perms.collect::<String>()
        );
        let reading = parse_vectors(&text);
        assert!(
            reading.complete && reading.unparsed.is_empty(),
            "{reading:?}"
        );
        reading.table
    }

    #[test]
    fn the_policy_of_2013_loses_listen_and_accept_in_silence() {
        let before = table(
            PERMISSIONS,
            include_str!("../../tests/captured/audit/lab/vectors.before"),
        );
        let after = table(
            PERMISSIONS,
            include_str!("../../tests/captured/audit/lab/vectors.after"),
        );
        let changes = diff(&before, &after).changes;
        assert_eq!(changes.len(), 1);
        let change = &changes[0];
        assert_eq!(
            (change.source_type.as_str(), change.target_type.as_str()),
            ("httpd_t", "httpd_t")
        );
        assert_eq!(change.class, "tcp_socket");
        assert_eq!(change.lost, ["accept", "listen"]);
        assert_eq!(change.silenced, ["accept", "listen"]);
        assert!(change.gained.is_empty() && change.newly_silent.is_empty());
        assert!(silent_denials(&before).is_empty());
        let silent = silent_denials(&after);
        assert_eq!(silent.len(), 1);
        assert_eq!(silent[0].permissions, ["accept", "listen"]);
    }

    #[test]
    fn the_script_s_answers_of_a_lab_guest_differ_in_that_alone() {
        let before = parse_vectors(include_str!(
            "../../tests/captured/audit/lab/vectors-httpd.before"
        ));
        let after = parse_vectors(include_str!(
            "../../tests/captured/audit/lab/vectors-httpd.after"
        ));
        for reading in [&before, &after] {
            assert!(reading.complete && reading.unparsed.is_empty());
            assert_eq!(
                (reading.table.vectors.len(), reading.refused.len()),
                (22, 14)
            );
            assert_eq!(reading.table.seqnos().len(), 1);
        }
        let diff = diff(&before.table, &after.table);
        assert!(diff.uncompared.is_empty());
        assert_eq!(diff.changes.len(), 1);
        assert_eq!(
            (&diff.changes[0].query, &diff.changes[0].silenced[..]),
            (&query(), &["accept".to_owned(), "listen".to_owned()][..],)
        );
    }

    #[test]
    fn without_dontaudit_the_same_loss_is_not_silent() {
        let after = table(
            PERMISSIONS,
            include_str!("../../tests/captured/audit/lab/vectors.after"),
        );
        let db = table(
            PERMISSIONS,
            include_str!("../../tests/captured/audit/lab/vectors.db"),
        );
        let change = &diff(&after, &db).changes[0];
        assert!(change.lost.is_empty() && change.gained.is_empty());
        assert_eq!(change.newly_audited, ["accept", "listen"]);
        assert!(silent_denials(&db).is_empty());
    }

    #[test]
    fn a_policy_that_numbers_its_bits_anew_changes_nothing() {
        let before = table("read 1\nwrite 2", "1 ffffffff 0 ffffffff 1 0");
        let after = table("read 2\nwrite 1", "2 ffffffff 0 ffffffff 2 0");
        assert!(diff(&before, &after).changes.is_empty());
    }

    #[test]
    fn a_query_that_only_one_side_answers_is_not_taken_for_unchanged() {
        let before = table("read 1", "1 ffffffff 0 ffffffff 1 0");
        assert_eq!(diff(&before, &VectorTable::default()).uncompared, [query()]);
        assert_eq!(diff(&VectorTable::default(), &before).uncompared, [query()]);
    }

    proptest! {
        /// Answers that are the same bit by bit are passed over, and nothing else is.
        #[test]
        fn what_is_passed_over_did_not_change(
            masks in proptest::collection::vec([0_u32..4, 0_u32..4, 0_u32..4, 0_u32..4], 0..6),
            alike in any::<bool>(),
        ) {
            let table = |side: usize, numbers: &str| {
                let answers = masks.iter().enumerate().map(|(n, masks)| {
                    let (allowed, auditdeny) = (masks[side], masks[side + 2]);
                    format!("av {HTTPD} u:r:t{n} x : {allowed} f 0 {auditdeny} 1 0\n")
                });
                let answers: String = answers.collect();
                let count = masks.len();
                let text = format!(
                    "vectors begin {count}\nclass x 7\n{numbers}{answers}vectors end {count}\n"
                );
                parse_vectors(&text).table
            };
            let numbers = "perm x read 1\nperm x write 2\n";
            let after = if alike { numbers } else { "perm x read 2\nperm x write 1\n" };
            let before = table(0, numbers);
            let after = table(1, after);
            let slowly = before.vectors.keys().filter_map(|q| compare(&before, &after, q)?);
            let slowly: Vec<_> = slowly.collect();
            prop_assert_eq!(diff(&before, &after).changes, slowly);
        }
    }

    #[test]
    fn the_healed_policy_gains_what_was_lost() {
        let broken = table(PERMISSIONS, "39a3f ffffffff 0 ffff9fff 8 0");
        let healed = table(PERMISSIONS, "3fa3f ffffffff 0 ffffffff 9 1");
        let change = &diff(&broken, &healed).changes[0];
        assert_eq!(change.gained, ["accept", "listen"]);
        assert!(change.newly_audited.is_empty(), "given is not audited");
        assert!(change.permissive);
    }
}
