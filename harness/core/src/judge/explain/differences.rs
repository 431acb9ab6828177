//! What differs between two snapshots of a host, one line a difference.
//!
//! The one place that compares snapshots for people here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::held::short;
use crate::snapshot::Snapshot;

/// The differences, `area: what`.
pub(super) fn lines(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let json = |s: &Snapshot| serde_json::to_value(s).unwrap_or_default();
    let (before, after) = (json(before), json(after));
    let mut lines = Vec::new();
    for half in ["policy", "system"] {
        let part = |v: &Value| v[half]["known"].clone();
        let (Value::Object(was), Value::Object(is)) = (part(&before), part(&after)) else {
            lines.push(format!("{half}: not read on both sides"));
            continue;
        };
        for (area, is) in &is {
            if let Some(was) = was.get(area).filter(|was| *was != is && area != "clock") {
                lines.extend(of_area(&area.replace('_', " "), was, is));
            }
        }
    }
    lines
}

fn of_area(area: &str, was: &Value, is: &Value) -> Vec<String> {
    match (was.get("known"), is.get("known")) {
        (Some(Value::Array(was)), Some(Value::Array(is))) => of_lines(area, was, is),
        (Some(Value::Object(was)), Some(Value::Object(is))) => {
            let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
            let changed = names.into_iter().filter(|n| was.get(*n) != is.get(*n));
            let side = |v: Option<&Value>| v.map_or("not there".to_owned(), text);
            let line =
                |n: &String| format!("{area}: {n}: {} → {}", side(was.get(n)), side(is.get(n)));
            changed.map(|n| short(&line(n))).collect()
        }
        (Some(was), Some(is)) => vec![short(&format!("{area}: {} → {}", text(was), text(is)))],
        (None, _) | (_, None) => vec![format!("{area}: not read on both sides")],
    }
}

fn of_lines(area: &str, was: &[Value], is: &[Value]) -> Vec<String> {
    let gone = was
        .iter()
        .filter(|v| !is.contains(v))
        .map(|v| format!("{area}: gone: {}", text(v)));
    let new = is
        .iter()
        .filter(|v| !was.contains(v))
        .map(|v| format!("{area}: new: {}", text(v)));
    gone.chain(new).map(|l| short(&l)).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Object(map) => {
            let parts = map.iter().filter(|(_, v)| !v.is_null());
            let parts: Vec<String> = parts.map(|(k, v)| format!("{k} {}", text(v))).collect();
            parts.join(", ")
        }
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
