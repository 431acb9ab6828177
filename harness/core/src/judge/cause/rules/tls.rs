//! The certificate is not valid.

use super::{
    super::{candidate::Clue, scene::Scene},
    quote,
};
use crate::{
    observation::HttpPhase, snapshot::system::Certificate, text::shell_word, verdict::CauseKind,
};

const TLS: &[HttpPhase] = &[HttpPhase::Tls];

/// What a TLS client says of a certificate that it does not take, in OpenSSL's and curl's words.
const WORDS: [&str; 9] = [
    "certificate has expired",
    "certificate is not yet valid",
    "certificate verify failed",
    "self-signed certificate",
    "self signed certificate",
    "unable to get local issuer certificate",
    "hostname mismatch",
    "IP address mismatch",
    "certificate revoked",
];

/// Clients do not take the certificate: by the certificate's own dates and the host's clock, or by their
/// own words.
pub(super) fn invalid(scene: &Scene<'_>) -> Vec<Clue> {
    let failed = |p: HttpPhase| TLS.contains(&p);
    let mut failures = scene.failures.iter();
    let Some(failure) = failures.find(|f| f.http_failure().is_some_and(|h| failed(h.phase))) else {
        return Vec::new();
    };
    let detail = failure.http_failure().map_or("", |h| h.detail.as_str());
    let named = WORDS.iter().any(|w| detail.contains(w));
    let dated = outdated(scene);
    if !named && dated.is_none() {
        return Vec::new();
    }
    let says = if named {
        format!(" The client says {}.", quote(detail))
    } else {
        String::new()
    };
    let (what, look, seq) = match dated {
        Some((seq, certificate, how)) => (
            format!("The certificate {} {how}.", quote(&certificate.path)),
            format!(
                "openssl x509 -enddate -noout -in {}",
                shell_word(&certificate.path)
            ),
            Some(seq),
        ),
        None => (
            "The client does not take the service's certificate.".to_owned(),
            "openssl s_client -connect HOST:443 </dev/null".to_owned(),
            None,
        ),
    };
    let clue = Clue::new(CauseKind::TlsCertificate, format!("{what}{says}"))
        .supported(true)
        .look(look)
        .on(seq)
        .on(scene.events());
    vec![clue]
}

/// The first of the suite's certificates that is not valid by the host's own clock.
fn outdated<'a>(scene: &Scene<'a>) -> Option<(u64, &'a Certificate, &'static str)> {
    let (seq, system) = scene.system()?;
    let now = i64::try_from(*system.clock.known()?).ok()?;
    let ours = |c: &&Certificate| scene.suite.rests_on.certificates.contains(&c.path);
    let mut certificates = system.certificates.known()?.iter().filter(ours);
    certificates.find_map(|c| {
        let how = if c.not_after < now {
            "has expired"
        } else if c.not_before > now {
            "is not valid yet, by the host's clock"
        } else {
            return None;
        };
        Some((seq, c, how))
    })
}
