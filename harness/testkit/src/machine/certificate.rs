//! Certificates of scripted hosts: their fields in DER, and no signature, because nobody verifies it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A certificate of a name that is valid from 2012 until a date in openssl's words, as PEM.
pub(super) fn pem(name: &str, until: &str) -> String {
    let subject = tlv(0x0c, name.as_bytes());
    let subject = [tlv(0x06, &[0x55, 4, 3]), subject].concat();
    let subject = tlv(0x30, &tlv(0x31, &tlv(0x30, &subject)));
    let validity = [time("Feb  5 03:04:05 2012 GMT"), time(until)].concat();
    let signed = [
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &[1]),
        tlv(0x30, &[]),
        tlv(0x30, &[]),
        tlv(0x30, &validity),
        subject,
    ];
    let certificate = tlv(0x30, &tlv(0x30, &signed.concat()));
    let text = base64(&certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----")
}

/// A value with its tag and its length.
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("names of scripted hosts are short");
    let head = if length < 0x80 {
        vec![tag, length]
    } else {
        vec![tag, 0x81, length]
    };
    [head, value.to_vec()].concat()
}

fn time(words: &str) -> Vec<u8> {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let date = jiff::civil::DateTime::strptime("%b %d %H:%M:%S %Y GMT", words)
        .expect("scenarios write dates as openssl does");
    let digits = date.strftime("%Y%m%d%H%M%SZ").to_string();
    tlv(0x18, digits.as_bytes())
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let three = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or_default()));
        let bits = three[0] << 16 | three[1] << 8 | three[2];
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 0x3f;
            let there = digit <= chunk.len();
            let index = usize::try_from(value).expect("six bits are few");
            text.push(if there {
                char::from(ALPHABET[index])
            } else {
                '='
            });
        }
    }
    text
}
