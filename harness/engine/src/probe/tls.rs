//! The two TLS clients: one that insists on a good certificate, one that only asks for an answer.
//!
//! Both are made at the first `https` request and not before: the trusted certificates take
//! milliseconds to load. Which ones are trusted is OpenSSL's matter (`SSL_CERT_FILE`, `SSL_CERT_DIR`).

use std::sync::OnceLock;

use openssl::{
    error::ErrorStack,
    ssl::{Ssl, SslConnector, SslMethod, SslVerifyMode, SslVersion},
};

type Made = Result<SslConnector, ErrorStack>;

/// The TLS clients, made when first needed.
#[derive(Default)]
pub(super) struct Tls {
    verifying: OnceLock<Made>,
    trusting: OnceLock<Made>,
}

impl Tls {
    /// A session with this name (or address) on the other side.
    ///
    /// # Errors
    /// Those of OpenSSL's set-up.
    pub(super) fn session(&self, name: &str, verify: bool) -> Result<Ssl, ErrorStack> {
        let made = match verify {
            true => self.verifying.get_or_init(verifying),
            false => self.trusting.get_or_init(trusting),
        };
        let connector = made.as_ref().map_err(Clone::clone)?;
        connector
            .configure()?
            .verify_hostname(verify)
            .into_ssl(name)
    }
}

fn verifying() -> Made {
    Ok(SslConnector::builder(SslMethod::tls_client())?.build())
}

/// Takes any certificate, and any cipher and version that OpenSSL has: Enterprise Linux 6.4 speaks
/// nothing above TLS 1.0, and a check that does not verify asks only whether the server answers.
fn trusting() -> Made {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_cipher_list("ALL:@SECLEVEL=0")?;
    builder.set_min_proto_version(Some(SslVersion::TLS1))?;
    Ok(builder.build())
}
