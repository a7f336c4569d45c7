//! asciicast, versions 2 and 3: a header, then an event a line.
//!
//! **Source:** the asciicast v2 and v3 file formats, as asciinema's manual has them. Times are absolute
//! in version 2 and since the event before in version 3, which also has exit statuses.

use std::io::{self, Write};
use std::time::Duration;

use cc_kit::journal::note::Size;
use serde_json::{Value, json};

use super::About;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V2,
    V3,
}

/// A recording that is being written.
pub(super) struct Cast<'a> {
    out: &'a mut dyn Write,
    version: Version,
    /// When the last event was, in microseconds: rounding does not add up.
    last: u128,
}

impl<'a> Cast<'a> {
    pub(super) fn begin(
        out: &'a mut dyn Write,
        version: Version,
        about: &About,
    ) -> io::Result<Self> {
        let Size { cols, rows } = about.size;
        let timestamp = about.began.div_euclid(1_000_000_000);
        let header = match version {
            Version::V2 => json!({
                "version": 2, "width": cols, "height": rows, "timestamp": timestamp,
                "title": about.title, "env": {"TERM": "tmux-256color"},
            }),
            Version::V3 => json!({
                "version": 3, "term": {"cols": cols, "rows": rows, "type": "tmux-256color"},
                "timestamp": timestamp, "title": about.title,
            }),
        };
        writeln!(out, "{header}")?;
        Ok(Self {
            out,
            version,
            last: 0,
        })
    }

    fn event(&mut self, at: Duration, code: &str, data: &str) -> io::Result<()> {
        let at = at.as_micros().max(self.last);
        let time = match self.version {
            Version::V2 => at,
            Version::V3 => at - self.last,
        };
        self.last = at;
        let (seconds, micros) = (time / 1_000_000, time % 1_000_000);
        let (code, data) = (Value::from(code), Value::from(data));
        writeln!(self.out, "[{seconds}.{micros:06}, {code}, {data}]")
    }

    pub(super) fn output(&mut self, at: Duration, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.event(at, "o", text)
    }

    pub(super) fn resize(&mut self, at: Duration, size: Size) -> io::Result<()> {
        self.event(at, "r", &format!("{}x{}", size.cols, size.rows))
    }

    pub(super) fn marker(&mut self, at: Duration, text: &str) -> io::Result<()> {
        self.event(at, "m", text)
    }

    /// How the program ended; version 2 cannot say.
    pub(super) fn exit(&mut self, at: Duration, status: Option<u8>) -> io::Result<()> {
        match (self.version, status) {
            (Version::V3, Some(status)) => self.event(at, "x", &status.to_string()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(version: Version) -> Vec<Value> {
        let about = About {
            size: Size { cols: 80, rows: 24 },
            began: 1_700_000_000_999_999_999,
            title: "%3 \u{1b}\"work\"".into(),
        };
        let mut out = Vec::new();
        let mut cast = Cast::begin(&mut out, version, &about).unwrap();
        let at = Duration::from_micros;
        cast.output(at(0), "a\r\n\u{1b}[31m\u{0}\"\u{202e}")
            .unwrap();
        cast.output(at(1_500_000), "").unwrap();
        cast.resize(
            at(1_500_000),
            Size {
                cols: 100,
                rows: 30,
            },
        )
        .unwrap();
        cast.marker(at(1_600_001), "here").unwrap();
        // A clock that went back does not make time negative.
        cast.output(at(1_000_000), "b").unwrap();
        cast.exit(at(3_000_000), Some(7)).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn version_2_is_what_its_specification_says() {
        let lines = written(Version::V2);
        let header = json!({
            "version": 2, "width": 80, "height": 24, "timestamp": 1_700_000_000,
            "title": "%3 \u{1b}\"work\"", "env": {"TERM": "tmux-256color"},
        });
        assert_eq!(lines[0], header);
        assert_eq!(
            lines[1..],
            [
                json!([0.0, "o", "a\r\n\u{1b}[31m\u{0}\"\u{202e}"]),
                json!([1.5, "r", "100x30"]),
                json!([1.600_001, "m", "here"]),
                json!([1.600_001, "o", "b"]),
            ]
        );
    }

    #[test]
    fn version_3_has_intervals_and_the_exit_status() {
        let lines = written(Version::V3);
        let header = json!({
            "version": 3, "term": {"cols": 80, "rows": 24, "type": "tmux-256color"},
            "timestamp": 1_700_000_000, "title": "%3 \u{1b}\"work\"",
        });
        assert_eq!(lines[0], header);
        assert_eq!(
            lines[2..],
            [
                json!([1.5, "r", "100x30"]),
                json!([0.100_001, "m", "here"]),
                json!([0.0, "o", "b"]),
                json!([1.399_999, "x", "7"]),
            ]
        );
    }
}
