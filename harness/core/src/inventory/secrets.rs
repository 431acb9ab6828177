//! Secrets have no place in an inventory: they are refused, and not shown.

use crate::source::{
    Problem,
    node::{Node, Value},
    quote,
    reader::Field,
};

/// Variables that hold a password or a key itself.
const SECRETS: [&str; 14] = [
    "ansible_password",
    "ansible_pass",
    "ansible_ssh_pass",
    "ansible_ssh_password",
    "ansible_become_pass",
    "ansible_become_password",
    "ansible_sudo_pass",
    "ansible_sudo_password",
    "ansible_su_pass",
    "ansible_su_password",
    "ansible_ssh_private_key",
    "ansible_private_key",
    "ansible_ssh_private_key_passphrase",
    "ansible_private_key_passphrase",
];

/// Whether a text is a Jinja template.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Whether a password is kept elsewhere, in a vault or behind a template: then the file shows none, and
/// patchgate never needs it.
fn is_elsewhere(node: &Node) -> bool {
    match &node.value {
        Value::Later(_) => true,
        Value::Scalar(scalar) => is_template(&scalar.text) || scalar.is_null(),
        Value::Seq(_) | Value::Map(_) | Value::Refused => false,
    }
}

/// Refuses secrets, without showing them; false where there was one.
pub(super) fn shows_none(field: &Field<'_>) -> bool {
    let problem = if SECRETS.contains(&field.name) && !is_elsewhere(field.node) {
        let message = format!("`{}` is a secret", field.name);
        Problem::new(field.key_span, message).help(
            "take it out of the file: patchgate logs in with a key (`ansible_ssh_private_key_file` or \
             an agent), and becomes root with `sudo -n`, which asks for no password",
        )
    } else if holds_key(field.node) {
        let message = format!("{} holds a private key", quote(field.name));
        Problem::new(field.key_span, message).help(
            "keep the key in a file of its own and name that in `ansible_ssh_private_key_file`",
        )
    } else {
        return true;
    };
    field.sink().report(problem.secret());
    false
}

fn holds_key(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => {
            scalar.text.contains("-----BEGIN") && scalar.text.contains("PRIVATE KEY")
        }
        Value::Seq(items) => items.iter().any(holds_key),
        Value::Map(entries) => entries.iter().any(|e| holds_key(&e.value)),
        Value::Refused | Value::Later(_) => false,
    }
}
