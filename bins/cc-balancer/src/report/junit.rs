//! A result as JUnit XML.

use std::fmt::Write as _;

use super::Report;

/// The document: one suite of one case.
pub(super) fn xml(report: &Report) -> String {
    let state = report.text("state");
    let (failures, errors) = match state {
        "done" => (0, 0),
        "failed" => (1, 0),
        _ => (0, 1),
    };
    let time = report.number("ran_s").unwrap_or(0.0);
    let name = escaped(report.text("task"));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites tests=\"1\" failures=\"{failures}\" errors=\"{errors}\" time=\"{time}\">\n\
         <testsuite name=\"cc-balancer\" tests=\"1\" failures=\"{failures}\" errors=\"{errors}\" \
         time=\"{time}\">\n\
         <testcase classname=\"cc-balancer\" name=\"{name}\" time=\"{time}\">"
    );
    let element = match (failures, errors) {
        (0, 0) => None,
        (0, _) => Some("error"),
        _ => Some("failure"),
    };
    if let Some(element) = element {
        let why = escaped(report.text("why"));
        let check = escaped(report.text("check"));
        let state = escaped(state);
        let _ = writeln!(
            out,
            "<{element} type=\"{state}\" message=\"{why}\">{check}</{element}>"
        );
    }
    let text = escaped(report.text("text"));
    let _ = writeln!(
        out,
        "<system-out>{text}</system-out>\n</testcase>\n</testsuite>\n</testsuites>"
    );
    out
}

/// Characters as XML 1.0 may have them; others are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push('\n'),
            '\t' => out.push('\t'),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hostile_text_stays_text() {
        let report = Report(json!({
            "v": 1, "task": "0a", "state": "failed", "why": "\"/><failure x='\u{1b}\u{0}\u{ffff}",
            "text": "]]></system-out><testcase>&\u{8}\u{9b}", "check": "<![CDATA[", "ran_s": 1.5,
        }));
        let xml = xml(&report);
        assert_eq!(xml.matches("<testcase").count(), 1, "{xml}");
        assert_eq!(xml.matches("<failure").count(), 1, "{xml}");
        assert_eq!(xml.matches("</system-out>").count(), 1, "{xml}");
        assert!(!xml.contains("<![CDATA["), "{xml}");
        let bad = |c: char| c.is_control() && c != '\n' || c == '\u{ffff}';
        assert!(!xml.contains(bad), "{xml}");
        assert!(
            xml.contains("failures=\"1\" errors=\"0\" time=\"1.5\""),
            "{xml}"
        );
    }

    #[test]
    fn a_task_that_is_done_has_no_failure_and_one_that_never_ran_an_error() {
        for (state, element) in [("done", None), ("cancelled", Some("<error"))] {
            let xml = xml(&Report(json!({"task": "0a", "state": state})));
            assert!(!xml.contains("<failure"), "{xml}");
            assert_eq!(xml.contains("<error"), element.is_some(), "{xml}");
        }
    }
}
