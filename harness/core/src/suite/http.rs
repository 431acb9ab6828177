//! The check kind `http`: one request, and what its answer must be.
//!
//! ```yaml
//! - id: root-page
//!   vantage: controller          # or localhost: the control, asked on the host; controller unless said
//!   http:
//!     url: "http://{{ host }}/"  # the host's address goes in; the one key that must be there
//!     status: 200                # 200 unless said
//!     body: { contains: [one, two] }
//!     redirects: 0               # how many are followed; 0 unless said
//!     body_limit: 1MiB           # more is a failure; 1MiB unless said, 64MiB at most
//!     verify_tls: true
//!     within: 5s                 # for one attempt; 10s unless said
//! ```

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use super::{
    Vantage,
    url::{self, HOST, Target, UrlError},
};
use crate::{
    source::{
        Problem, closest, quote,
        reader::{Field, Reader, not_built},
    },
    template::{self, TemplateError},
};

/// How much of a body is read where the check does not say: 1 MiB.
pub const DEFAULT_BODY_LIMIT: u64 = 1 << 20;

/// The most that a check may read of a body: 64 MiB.
pub const MAX_BODY_LIMIT: u64 = 64 << 20;

/// The most redirects that a check may follow.
const MAX_REDIRECTS: u64 = 20;

/// One request and the expected answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// The URL; `{{ host }}` stands for the host's address.
    pub url: String,
    /// The expected status code.
    pub status: u16,
    /// What the body must hold, each of them.
    pub contains: Vec<String>,
    /// How many redirects are followed; 0 unless asked.
    pub redirects: u8,
    /// How much of a body is read at most, in bytes; more is a failure.
    pub body_limit: u64,
    /// Whether the server's certificate is verified.
    pub verify_tls: bool,
}

impl Http {
    /// The URL for one host, an IPv6 address in brackets.
    ///
    /// # Errors
    /// A template that a parsed suite cannot hold.
    pub fn url_for(&self, address: &str) -> Result<String, TemplateError> {
        match address.parse::<Ipv6Addr>() {
            Ok(ip) => template::render(&self.url, &[(HOST, &format!("[{ip}]"))]),
            Err(_) => template::render(&self.url, &[(HOST, address)]),
        }
    }

    /// The port that is asked: the URL's own, or that of its scheme.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        url::port(&self.url)
    }

    /// Reads the map under `http:`, all but `within`.
    pub(super) fn read(reader: &Reader<'_>, vantage: Vantage) -> Option<Self> {
        let url = reader.required("url").and_then(|f| read_url(&f, vantage));
        let status = reader.or_default("status", 200, read_status);
        let contains = reader.or_default("body", Vec::new(), read_body);
        let redirects = reader.or_default("redirects", 0, read_redirects);
        let body_limit = reader.or_default("body_limit", DEFAULT_BODY_LIMIT, read_limit);
        let verify_tls = reader.or_default("verify_tls", true, Field::boolean);
        Some(Self {
            url: url?,
            status: status?,
            contains: contains?,
            redirects: redirects?,
            body_limit: body_limit?,
            verify_tls: verify_tls?,
        })
    }
}

fn read_url(field: &Field<'_>, vantage: Vantage) -> Option<String> {
    const EXPECTED: &str = "a URL, as `http://{{ host }}/`";
    let text = &field.scalar(EXPECTED)?.text;
    match url::check(text) {
        Ok(Target::Loopback) if vantage == Vantage::Controller => {
            let message = "a remote check cannot be asked of the client itself";
            let problem = Problem::new(field.span(), message).expected(EXPECTED);
            let help = "`vantage: localhost` makes it the control, asked on the host";
            field.sink().report(problem.help(help));
            None
        }
        Ok(Target::Loopback | Target::Remote) => Some(text.clone()),
        Err(why) => {
            report_url(field, text, &why, EXPECTED);
            None
        }
    }
}

fn report_url(field: &Field<'_>, text: &str, why: &UrlError, expected: &str) {
    let UrlError::Template(TemplateError::Unknown { name }) = why else {
        // A login in a URL is a secret: it is in neither the message nor the drawing.
        let problem = if *why == UrlError::Login {
            Problem::new(field.span(), format!("`url` cannot be this: {why}")).secret()
        } else {
            Problem::new(
                field.span(),
                format!("`url` cannot be {}: {why}", quote(text)),
            )
        };
        return field.sink().report(problem.expected(expected));
    };
    let message = format!("there is no variable {}", quote(name));
    let near = closest(name, &[HOST]).map(|near| format!("did you mean `{near}`?"));
    let problem = Problem::new(field.span(), message).expected("`host`");
    field.sink().report(problem.maybe_help(near));
}

fn read_status(field: &Field<'_>) -> Option<u16> {
    u16::try_from(field.integer(100..=599)?).ok()
}

fn read_redirects(field: &Field<'_>) -> Option<u8> {
    u8::try_from(field.integer(0..=MAX_REDIRECTS)?).ok()
}

fn read_limit(field: &Field<'_>) -> Option<u64> {
    let expected = "a size with a unit, up to `64MiB`, as `100KiB`";
    field.parsed(expected, |text| {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim_start() {
            "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            _ => return None,
        };
        let size = number.parse::<u64>().ok()?.checked_mul(1 << shift)?;
        (1..=MAX_BODY_LIMIT).contains(&size).then_some(size)
    })
}

fn read_body(field: &Field<'_>) -> Option<Vec<String>> {
    let reader = field.map("`body`")?;
    let contains = reader.or_default("contains", Vec::new(), read_contains);
    reader.not_built(&["lacks", "matches", "json"]);
    reader.finish();
    contains
}

/// One text or a list of them; none of them a template, since nothing would fill it in.
fn read_contains(field: &Field<'_>) -> Option<Vec<String>> {
    let one = |item: &Field<'_>| {
        let text = item.text()?;
        match template::names(text) {
            Ok(names) if names.is_empty() => Some(text.to_owned()),
            Ok(_) | Err(_) => {
                item.sink().report(not_built(item.span(), "{{ … }}"));
                None
            }
        }
    };
    let read: Vec<_> = field.list_or_one().iter().map(one).collect();
    read.into_iter().collect()
}
