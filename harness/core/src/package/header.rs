//! The head of an RPM file: which package it holds.
//!
//! The form is rpm's own (`docs/manual/format.md`): a lead of 96 bytes, a signature header padded to 8
//! bytes, and the header, each header being index entries of four big-endian numbers (tag, type, offset,
//! count) over a store of data.

use super::Nevra;

/// How many bytes from a file's begin are surely enough for what is read here: headers grow with the
/// number of files in a package.
pub const ENOUGH: usize = 64 << 20;

const LEAD: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const HEADER_MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCH: u32 = 1022;
const SOURCE_PACKAGE: u32 = 1106;

/// Reads which package an RPM file holds from its first bytes.
///
/// # Errors
/// Why that cannot be said: it is no RPM file, is cut, or holds sources.
pub fn read(bytes: &[u8]) -> Result<Nevra, &'static str> {
    if !bytes.starts_with(&LEAD_MAGIC) {
        return Err("it is no RPM file");
    }
    let cut = "its header is cut or damaged";
    let signature = Header::at(bytes, LEAD).ok_or(cut)?;
    let header = Header::at(bytes, signature.end.next_multiple_of(8)).ok_or(cut)?;
    if header.entry(SOURCE_PACKAGE).is_some() {
        return Err("it holds sources, which are not installed");
    }
    let text = |tag| header.text(tag).ok_or(cut);
    Ok(Nevra {
        name: text(NAME)?,
        epoch: header.number(EPOCH).unwrap_or(0),
        version: text(VERSION)?,
        release: text(RELEASE)?,
        arch: text(ARCH)?,
    })
}

/// One header: its index, its store, and where it ends.
struct Header<'a> {
    index: &'a [u8],
    store: &'a [u8],
    end: usize,
}

impl<'a> Header<'a> {
    fn at(bytes: &'a [u8], start: usize) -> Option<Self> {
        let head = bytes.get(start..start.checked_add(16)?)?;
        head.starts_with(&HEADER_MAGIC).then_some(())?;
        let index_at = start + 16;
        let store_at = index_at.checked_add(usize_of(head, 8)?.checked_mul(16)?)?;
        let end = store_at.checked_add(usize_of(head, 12)?)?;
        Some(Self {
            index: bytes.get(index_at..store_at)?,
            store: bytes.get(store_at..end)?,
            end,
        })
    }

    /// The data of a tag, from its begin on.
    fn entry(&self, tag: u32) -> Option<&'a [u8]> {
        let of_tag = |e: &&[u8]| number_of(e, 0) == Some(tag);
        let entry = self.index.chunks_exact(16).find(of_tag)?;
        self.store.get(usize_of(entry, 8)?..)
    }

    fn text(&self, tag: u32) -> Option<String> {
        let data = self.entry(tag)?;
        let end = data.iter().position(|b| *b == 0)?;
        let text = std::str::from_utf8(&data[..end]).ok()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn number(&self, tag: u32) -> Option<u32> {
        number_of(self.entry(tag)?, 0)
    }
}

fn number_of(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

fn usize_of(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number_of(bytes, at)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The begin of a package of the lab, made by rpmbuild 4.18; the payload is left out.
    const OPENSSL: &[u8] = include_bytes!("../../tests/captured/rpm/openssl-libs.rpm");

    #[test]
    fn a_real_package_names_itself() {
        let wanted = "openssl-libs-3.0.7-25.el9_3.x86_64";
        assert_eq!(read(OPENSSL).unwrap().to_string(), wanted);
    }

    #[test]
    fn what_is_cut_at_any_place_is_refused_and_nothing_panics() {
        let all = (0..OPENSSL.len()).map(|end| read(&OPENSSL[..end]));
        let good = all.filter(Result::is_ok).count();
        assert!(good < 64, "{good} cuts of the payload alone are whole");
        assert_eq!(read(b""), Err("it is no RPM file"));
        assert_eq!(read(b"PK\x03\x04"), Err("it is no RPM file"));
    }

    #[test]
    fn numbers_out_of_all_bounds_are_refused() {
        for at in (LEAD..OPENSSL.len()).step_by(4) {
            let mut bytes = OPENSSL.to_vec();
            let end = bytes.len().min(at + 4);
            bytes[at..end].fill(0xff);
            drop(read(&bytes));
        }
    }
}
