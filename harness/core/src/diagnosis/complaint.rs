//! The files that a complaint names, with the lines in them: what a config test or an error log says.

/// A place that a complaint names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, an absolute path.
    pub path: String,
    /// The line, where one is named.
    pub line: Option<u32>,
}

/// What a path ends at, and what it can begin after. The host's own extraction, which asks for the owners
/// of the same files, splits at these too.
pub const DELIMITERS: &str = " \t\r\n\"'`()[]<>,;:|=";

/// The places that a text names, each once, in the order of the text.
///
/// Lines are told as `… line 7 of /a.conf` (Apache), `/a.conf:7` (nginx, named, haproxy), `/a.conf line 7`,
/// `/a.conf: line 7` (sshd), `/a.conf, line 7` (Postfix) and `/a.conf(7)`.
#[must_use]
pub fn places(text: &str) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    for line in text.lines() {
        for place in of_line(line) {
            match found.iter_mut().find(|p| p.path == place.path) {
                Some(known) => known.line = known.line.or(place.line),
                None => found.push(place),
            }
        }
    }
    found
}

fn of_line(line: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = line[from..].find('/').map(|at| from + at) {
        let length = line[at..].find(|c| DELIMITERS.contains(c));
        let end = length.map_or(line.len(), |n| at + n);
        from = end.max(at + 1);
        let begins = line[..at].chars().next_back();
        let path = line[at..end].trim_end_matches('.');
        let is_path = path.len() > 1 && !path.starts_with("//");
        if is_path && begins.is_none_or(|c| DELIMITERS.contains(c)) {
            places.push(Place {
                path: path.to_owned(),
                line: line_after(&line[end..]).or_else(|| line_before(&line[..at])),
            });
        }
    }
    places
}

/// The line number that follows a path.
fn line_after(rest: &str) -> Option<u32> {
    let direct = rest.strip_prefix([':', '(']).and_then(number);
    direct.or_else(|| {
        let words = rest.trim_start_matches([':', ',', ' ', '"', '\'', '`']);
        let words = words.strip_prefix("on ").unwrap_or(words);
        number(words.strip_prefix("line ")?)
    })
}

/// The line number that stands before a path: `line 7 of `, `line 7 in file `.
fn line_before(before: &str) -> Option<u32> {
    let before = before.trim_end_matches(['"', '\'', '`']);
    let words: Vec<&str> = before.split_whitespace().rev().take(4).collect();
    match words[..] {
        ["of" | "in", n, "line", ..] | ["file", "of" | "in", n, "line"] => number(n),
        _ => None,
    }
}

/// The number at the beginning of a text, where nothing but a delimiter follows it.
fn number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let ends = text[end..].chars().next();
    let whole = ends.is_none_or(|c| DELIMITERS.contains(c) || c == '.');
    text[..end].parse().ok().filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let line = |p: &Place| p.line.map_or_else(String::new, |n| format!(":{n}"));
        let all = places(text);
        all.iter()
            .map(|p| format!("{}{}", p.path, line(p)))
            .collect()
    }

    #[test]
    fn every_service_names_its_files_in_its_own_way() {
        for (text, want) in [
            (
                "AH00526: Syntax error on line 7 of /etc/httpd/conf.d/broken.conf:\n\
                 Invalid command 'Bogus', perhaps misspelled or defined by a module not included\n",
                &["/etc/httpd/conf.d/broken.conf:7"][..],
            ),
            (
                "httpd: Syntax error on line 56 of /etc/httpd/conf/httpd.conf: Syntax error on line 1 of \
                 /etc/httpd/conf.modules.d/00-x.conf: Cannot load modules/mod_x.so into server: \
                 /etc/httpd/modules/mod_x.so: cannot open shared object file: No such file or directory",
                &[
                    "/etc/httpd/conf/httpd.conf:56",
                    "/etc/httpd/conf.modules.d/00-x.conf:1",
                    "/etc/httpd/modules/mod_x.so",
                ],
            ),
            (
                "nginx: [emerg] unknown directive \"bogus\" in /etc/nginx/conf.d/x.conf:12\n\
                 nginx: configuration file /etc/nginx/nginx.conf test failed",
                &["/etc/nginx/conf.d/x.conf:12", "/etc/nginx/nginx.conf"],
            ),
            (
                "/etc/named.conf:12: unknown option 'bogus'",
                &["/etc/named.conf:12"],
            ),
            (
                "/etc/ssh/sshd_config: line 12: Bad configuration option: Bogus\n\
                 /etc/ssh/sshd_config line 14: Bad number",
                &["/etc/ssh/sshd_config:12"],
            ),
            (
                "postfix: fatal: /etc/postfix/main.cf, line 3: missing '=' after attribute name",
                &["/etc/postfix/main.cf:3"],
            ),
            (
                "[ALERT]    (99) : config : parsing [/etc/haproxy/haproxy.cfg:31] : unknown keyword",
                &["/etc/haproxy/haproxy.cfg:31"],
            ),
            (
                "Fatal error : Invalid syntax for directive at line 3 in file /etc/chrony.conf",
                &["/etc/chrony.conf:3"],
            ),
            (
                "PHP Parse error: syntax error in /var/www/html/index.php on line 4",
                &["/var/www/html/index.php:4"],
            ),
            (
                "[core:error] (13)Permission denied: [client 192.0.2.9:40122] AH00132: file permissions \
                 deny server access: /var/www/html/index.html",
                &["/var/www/html/index.html"],
            ),
            (
                "see https://httpd.apache.org/docs/2.4/ and/or '/etc/motd'. Then 1/2 or / or //x.",
                &["/etc/motd"],
            ),
        ] {
            assert_eq!(told(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_every_place_stands_in_it(text in any::<String>()) {
            for place in places(&text) {
                prop_assert!(text.contains(&place.path));
                prop_assert!(place.path.starts_with('/') && !place.path.contains(|c| DELIMITERS.contains(c)));
            }
        }
    }
}
