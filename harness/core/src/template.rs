//! `{{ name }}` in texts of suites: a closed list of names, and nothing else of any template language.

/// Why a text cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("`{{{{` is not closed by `}}}}`")]
    Open,
    /// A name that has no value here.
    #[error("there is no `{{{{ {name} }}}}` here")]
    Unknown {
        /// The name, as it was written.
        name: String,
    },
}

/// A text and its holes, one part after the other.
enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, tail) = after.split_once("}}").ok_or(TemplateError::Open)?;
        found.extend([Part::Text(before), Part::Name(name.trim())]);
        rest = tail;
    }
    found.push(Part::Text(rest));
    Ok(found)
}

/// The names that a text asks for, in order.
///
/// # Errors
/// A `{{` that is not closed.
pub fn names(text: &str) -> Result<Vec<&str>, TemplateError> {
    let name = |part| match part {
        Part::Name(name) => Some(name),
        Part::Text(_) => None,
    };
    Ok(parts(text)?.into_iter().filter_map(name).collect())
}

/// Puts values in the place of their names. Values are not looked at again: one that holds `{{` stays so.
///
/// # Errors
/// A `{{` that is not closed, or the first name that has no value.
pub fn render(text: &str, vars: &[(&str, &str)]) -> Result<String, TemplateError> {
    let mut rendered = String::with_capacity(text.len());
    for part in parts(text)? {
        match part {
            Part::Text(text) => rendered.push_str(text),
            Part::Name(name) => {
                let unknown = || TemplateError::Unknown {
                    name: name.to_owned(),
                };
                let known = vars.iter().find(|(known, _)| *known == name);
                rendered.push_str(known.ok_or_else(unknown)?.1);
            }
        }
    }
    Ok(rendered)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_replaced_once() {
        let vars = [("host", "{{ host }}"), ("nonce", "n1")];
        for (text, wanted) in [
            ("http://{{ host }}/{{nonce}}", "http://{{ host }}/n1"),
            ("no holes } {", "no holes } {"),
            ("", ""),
            ("}}", "}}"),
        ] {
            assert_eq!(render(text, &vars).unwrap(), wanted, "{text}");
        }
        assert_eq!(names("{{ a }}{{b}}").unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_rendered_is_named() {
        for (text, why) in [
            ("a {{ host", "`{{` is not closed by `}}`"),
            ("{{ hots }}", "there is no `{{ hots }}` here"),
            ("{{}}", "there is no `{{  }}` here"),
        ] {
            assert_eq!(render(text, &[("host", "h")]).unwrap_err().to_string(), why);
        }
    }

    proptest! {
        #[test]
        fn texts_without_holes_stay_as_they_are(text in "[^{]*") {
            prop_assert_eq!(render(&text, &[]).unwrap(), text);
        }
    }
}
