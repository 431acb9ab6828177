//! Colour on the console: never the only carrier of a meaning.

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Colours, also where nobody may see them.
    Always,
    /// Colours on a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// No colours.
    Never,
}

impl Colour {
    /// Every value, in the order of the help text.
    pub const ALL: [Self; 3] = [Self::Always, Self::Auto, Self::Never];

    /// The word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Auto => "auto",
            Self::Never => "never",
        }
    }

    /// Decides: `terminal` says whether the outlet is one, `no_color` is the environment variable
    /// `NO_COLOR`, which counts when it is not empty (no-color.org). An explicit `always` wins.
    #[must_use]
    pub fn paint(self, terminal: bool, no_color: Option<&str>) -> Paint {
        let on = match self {
            Self::Always => true,
            Self::Auto => terminal && no_color.is_none_or(str::is_empty),
            Self::Never => false,
        };
        Paint { on }
    }
}

/// Whether an outlet gets colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

/// What a text is about; each mood also shows in the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Plain,
    Good,
    Bad,
    Unsure,
    Heading,
}

impl Paint {
    /// No escapes at all.
    pub const PLAIN: Self = Self { on: false };

    /// The text in the colour of a mood. Only text that went through `core::text` may come here.
    pub(crate) fn mood(self, mood: Mood, text: &str) -> String {
        let code = match mood {
            Mood::Plain => return text.to_owned(),
            Mood::Good => "32",
            Mood::Bad => "1;31",
            Mood::Unsure => "33",
            Mood::Heading => "1",
        };
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_need_a_terminal_or_an_order() {
        for (colour, terminal, no_color, on) in [
            (Colour::Auto, true, None, true),
            (Colour::Auto, true, Some(""), true),
            (Colour::Auto, true, Some("1"), false),
            (Colour::Auto, false, None, false),
            (Colour::Always, false, Some("1"), true),
            (Colour::Never, true, None, false),
        ] {
            assert_eq!(
                colour.paint(terminal, no_color).on,
                on,
                "{colour:?} {terminal} {no_color:?}"
            );
        }
    }
}
