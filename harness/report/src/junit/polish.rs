//! What `junit-report` cannot do, done on its output: attributes as the strictest schemas want them,
//! `skipped` counts, properties, and bodies as escaped text instead of CDATA.
//!
//! The root gets no totals, and `skipped` no type: some schemas refuse them, and no consumer needs
//! them.

use jiff::Timestamp;
use junit_report::{Report, TestSuite};
use quick_xml::{
    Reader, Writer, XmlVersion,
    events::{BytesEnd, BytesStart, BytesText, Event},
};

use super::{JunitError, suites::Properties};

type Attributes = Vec<(String, String)>;

/// Rewrites the document of a report; `properties` are those of its suites, in order.
pub(super) fn polish(
    raw: &str,
    report: &Report,
    properties: &[Properties],
    started_at: Timestamp,
) -> Result<String, JunitError> {
    let mut reader = Reader::from_str(raw);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let mut suites = report.testsuites().iter().zip(properties);
    loop {
        match reader.read_event()? {
            Event::Eof => break,
            Event::Start(start) => {
                let suite = if is(&start, b"testsuite") {
                    suites.next()
                } else {
                    None
                };
                let attributes = attributes(&start, suite.map(|s| s.0), started_at)?;
                writer.write_event(Event::Start(rebuilt(&start, &attributes)))?;
                if let Some((_, properties)) = suite {
                    write_properties(&mut writer, properties)?;
                }
            }
            Event::Empty(start) => {
                let attributes = attributes(&start, None, started_at)?;
                writer.write_event(Event::Empty(rebuilt(&start, &attributes)))?;
            }
            Event::CData(text) => {
                let text = text.decode().map_err(quick_xml::Error::from)?;
                writer.write_event(Event::Text(BytesText::new(&text)))?;
            }
            event @ (Event::End(_)
            | Event::Text(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_)) => writer.write_event(event)?,
        }
    }
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned() + "\n")
}

fn is(start: &BytesStart<'_>, name: &[u8]) -> bool {
    start.name().as_ref() == name
}

fn rebuilt(start: &BytesStart<'_>, attributes: &Attributes) -> BytesStart<'static> {
    let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
    let attributes = attributes.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    BytesStart::new(name).with_attributes(attributes)
}

fn attributes(
    start: &BytesStart<'_>,
    suite: Option<&TestSuite>,
    started_at: Timestamp,
) -> Result<Attributes, quick_xml::Error> {
    let mut attributes = read(start)?;
    if is(start, b"skipped") {
        attributes.retain(|(key, _)| key != "type");
    } else if let Some(suite) = suite {
        set(&mut attributes, "skipped", suite.skipped().to_string());
        set(&mut attributes, "timestamp", timestamp(started_at));
        set(
            &mut attributes,
            "time",
            seconds(suite.time().as_seconds_f64()),
        );
    } else if let Some((_, time)) = attributes.iter_mut().find(|(key, _)| key == "time") {
        *time = seconds(time.parse().unwrap_or(0.0));
    }
    Ok(attributes)
}

fn read(start: &BytesStart<'_>) -> Result<Attributes, quick_xml::Error> {
    let mut attributes = Attributes::new();
    for attribute in start.attributes() {
        let attribute = attribute?;
        let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
        attributes.push((
            key,
            attribute
                .normalized_value(XmlVersion::Explicit1_0)?
                .into_owned(),
        ));
    }
    Ok(attributes)
}

fn set(attributes: &mut Attributes, key: &str, value: String) {
    match attributes.iter_mut().find(|(k, _)| k == key) {
        Some(attribute) => attribute.1 = value,
        None => attributes.push((key.to_owned(), value)),
    }
}

/// Seconds with three decimals: Jenkins' schema takes no more and no exponent.
fn seconds(time: f64) -> String {
    format!("{time:.3}")
}

/// `2013-02-22T03:04:05`, in UTC and without a zone, as Ant's schema wants it.
fn timestamp(at: Timestamp) -> String {
    at.max(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string()
}

fn write_properties(writer: &mut Writer<Vec<u8>>, properties: &Properties) -> std::io::Result<()> {
    writer.write_event(Event::Start(BytesStart::new("properties")))?;
    for (name, value) in properties {
        let pair = [("name", name.as_str()), ("value", value.as_str())];
        writer.write_event(Event::Empty(
            BytesStart::new("property").with_attributes(pair),
        ))?;
    }
    writer.write_event(Event::End(BytesEnd::new("properties")))
}
