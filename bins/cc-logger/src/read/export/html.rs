//! A page for a browser: one file, with nothing in it that runs and nothing that is fetched.

use std::fmt::Write as _;
use std::io::{self, Write};

use cc_kit::printable::harmless;

use super::About;
use crate::shown;

const STYLE: &str = "body{background:#1d1f21;color:#c5c8c6;font:14px/1.3 ui-monospace,Menlo,Consolas,\
    monospace;margin:1em}pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}h1{font-size:1em;\
    color:#81a2be}.s{color:#f0c674;border-top:1px solid #555;border-bottom:1px solid #555;\
    margin:.3em 0}.a{color:#969896;border-left:3px solid #555;padding-left:.5em}";

/// The sixteen colours that have no number of their own.
const PALETTE: [&str; 16] = [
    "#373b41", "#cc6666", "#8abe5e", "#de935f", "#6f9dc9", "#b294bb", "#5fb3a8", "#c5c8c6",
    "#707880", "#e06c75", "#b5bd68", "#f0c674", "#81a2be", "#c99fd6", "#8abeb7", "#ffffff",
];

/// A page that is being written.
pub(super) struct Html<'a> {
    out: &'a mut dyn Write,
    /// Is a keyframe of the alternate screen being shown?
    alternate: bool,
}

impl<'a> Html<'a> {
    pub(super) fn begin(out: &'a mut dyn Write, about: &About) -> io::Result<Self> {
        let title = escaped(&about.title);
        let began = escaped(&shown::local(about.began));
        write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'\"><title>{title}</title><style>{STYLE}</style></head>\n\
             <body><h1>{title} from {began}</h1>\n<pre>"
        )?;
        Ok(Self {
            out,
            alternate: false,
        })
    }

    /// A line, with colours as SGR sequences.
    pub(super) fn line(&mut self, text: &str, alternate: bool) -> io::Result<()> {
        self.switch(alternate)?;
        writeln!(self.out, "{}", coloured(text))
    }

    /// Something that is no output.
    pub(super) fn said(&mut self, at: i64, text: &str) -> io::Result<()> {
        self.switch(false)?;
        let (text, at) = (escaped(text), escaped(&shown::local(at)));
        writeln!(self.out, "</pre><div class=\"s\">{text} ({at})</div><pre>")
    }

    fn switch(&mut self, alternate: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.alternate, alternate) == alternate {
            return Ok(());
        }
        let class = if alternate { " class=\"a\"" } else { "" };
        write!(self.out, "</pre><pre{class}>")
    }

    pub(super) fn end(self) -> io::Result<()> {
        writeln!(self.out, "</pre></body></html>")
    }
}

/// Text that is nothing but text to a browser, and harmless to who reads the source.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in harmless(text).to_string().chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            char => safe.push(char),
        }
    }
    safe
}

/// A line whose escape sequences are those of our own rendering.
fn coloured(line: &str) -> String {
    let mut html = String::new();
    let mut open = false;
    let mut parts = line.split("\x1b[");
    html.push_str(&escaped(parts.next().unwrap_or_default()));
    for part in parts {
        let (codes, text) = part.split_once('m').unwrap_or(("", part));
        if std::mem::take(&mut open) {
            html.push_str("</span>");
        }
        let style = style(codes);
        if !style.is_empty() {
            let _ = write!(html, "<span style=\"{style}\">");
            open = true;
        }
        html.push_str(&escaped(text));
    }
    if open {
        html.push_str("</span>");
    }
    html
}

fn style(codes: &str) -> String {
    let mut numbers = codes.split(';').map(|code| code.parse::<u8>().unwrap_or(0));
    let (mut style, mut foreground, mut background) = (String::new(), None, None);
    let mut inverse = false;
    let mut lines = Vec::new();
    while let Some(code) = numbers.next() {
        match code {
            1 => style.push_str("font-weight:bold;"),
            2 => style.push_str("opacity:.6;"),
            3 => style.push_str("font-style:italic;"),
            4 => lines.push("underline"),
            9 => lines.push("line-through"),
            7 => inverse = true,
            38 => foreground = colour(&mut numbers),
            48 => background = colour(&mut numbers),
            _ => {}
        }
    }
    if !lines.is_empty() {
        let _ = write!(style, "text-decoration:{};", lines.join(" "));
    }
    if inverse {
        std::mem::swap(&mut foreground, &mut background);
        foreground.get_or_insert_with(|| "#1d1f21".to_owned());
        background.get_or_insert_with(|| "#c5c8c6".to_owned());
    }
    if let Some(colour) = foreground {
        let _ = write!(style, "color:{colour};");
    }
    if let Some(colour) = background {
        let _ = write!(style, "background:{colour};");
    }
    style
}

fn colour(numbers: &mut impl Iterator<Item = u8>) -> Option<String> {
    let rgb = |r: u8, g: u8, b: u8| format!("#{r:02x}{g:02x}{b:02x}");
    match numbers.next()? {
        2 => Some(rgb(numbers.next()?, numbers.next()?, numbers.next()?)),
        5 => {
            let index = numbers.next()?;
            if let Some(named) = PALETTE.get(usize::from(index)) {
                return Some((*named).to_owned());
            }
            // A cube of six steps a side, and then 24 greys.
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            Some(match index.checked_sub(232) {
                Some(grey) => rgb(8 + 10 * grey, 8 + 10 * grey, 8 + 10 * grey),
                None => {
                    let at = index - 16;
                    rgb(step(at / 36), step(at / 6 % 6), step(at % 6))
                }
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cc_kit::journal::note::Size;

    use super::*;

    #[test]
    fn colours_become_spans_and_text_stays_text() {
        for (line, html) in [
            ("plain", "plain"),
            (
                "a<b>&\"'</script>",
                "a&lt;b&gt;&amp;&quot;&#39;&lt;/script&gt;",
            ),
            (
                "\x1b[0;1;38;5;1mred\x1b[0m x",
                "<span style=\"font-weight:bold;color:#cc6666;\">red</span> x",
            ),
            (
                "\x1b[0;7mi\x1b[0m",
                "<span style=\"color:#1d1f21;background:#c5c8c6;\">i</span>",
            ),
            (
                "\x1b[0;4;9;38;2;1;2;255mt",
                "<span style=\"text-decoration:underline line-through;color:#0102ff;\">t</span>",
            ),
            (
                "\x1b[0;48;5;16mx",
                "<span style=\"background:#000000;\">x</span>",
            ),
            (
                "\x1b[0;48;5;231mx",
                "<span style=\"background:#ffffff;\">x</span>",
            ),
            (
                "\x1b[0;48;5;255mx",
                "<span style=\"background:#eeeeee;\">x</span>",
            ),
            ("bidi \u{202e}x\u{7}", "bidi \\u{202e}x\\x07"),
        ] {
            assert_eq!(coloured(line), html, "{line:?}");
        }
    }

    #[test]
    fn a_page_is_whole_and_holds_nothing_that_runs() {
        let about = About {
            size: Size { cols: 80, rows: 24 },
            began: 0,
            title: "<script>alert(1)</script>".into(),
        };
        let mut out = Vec::new();
        let mut page = Html::begin(&mut out, &about).unwrap();
        page.line("one", false).unwrap();
        page.line("frame", true).unwrap();
        page.said(0, "a \"mark\" <img src=x>").unwrap();
        page.line("two", false).unwrap();
        page.end().unwrap();
        let html = String::from_utf8(out).unwrap();
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        for tag in ["pre", "div", "html", "body"] {
            let opened = html.matches(&format!("<{tag}")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(html.contains("class=\"a\">frame"));
        assert!(!html.contains(|char: char| char.is_control() && char != '\n'));
    }
}
