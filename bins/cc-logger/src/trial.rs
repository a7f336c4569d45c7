//! What a configuration would do, without starting: `check`, `rules ls` and `redact test`.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::printable;
use cc_kit::redact::{Key, Redactor, Rules};
use cc_kit::stdout::print;

use crate::cli::{Check, RedactTest};
use crate::config::{self, Config, Flags};

/// Prints a text as it would be written down; what was taken out goes to standard error.
pub(crate) fn test(test: &RedactTest) -> Result<(), Failure> {
    let rules = rules_of(test.config.as_deref())?;
    let unreadable = |error| {
        Failure::new(Exit::Failed, error).advice("Check the path and that you may read it.")
    };
    let mut text = Vec::new();
    if test.file == Path::new("-") {
        std::io::stdin()
            .read_to_end(&mut text)
            .map_err(unreadable)?;
    } else {
        text = fs::read(&test.file).map_err(unreadable)?;
    }
    let (mut out, mut said) = (Vec::new(), Vec::new());
    let mut redactor = Redactor::new(Arc::new(rules));
    let mut hit = |hit: &cc_kit::redact::Hit| {
        said.push(format!("{}: {} bytes", hit.rule, hit.removed));
    };
    redactor.push(&text, &mut out, &mut hit);
    redactor.flush(&mut out, &mut hit);
    print(&out)?;
    for said in &said {
        eprintln!("{}", printable(said.as_bytes()));
    }
    eprintln!("{} secrets", said.len());
    Ok(())
}

/// Lists the rules.
pub(crate) fn rules(check: &Check) -> Result<(), Failure> {
    let rules = rules_of(check.config.as_deref())?;
    let mut text = String::new();
    for rule in rules.list() {
        text.push_str(&format!(
            "{:<32}{}\n",
            printable(rule.id.as_bytes()).to_string(),
            printable(rule.description.as_bytes())
        ));
    }
    print(&text)
}

fn rules_of(file: Option<&Path>) -> Result<Rules, Failure> {
    let redact = config::read(file)?.redaction();
    let variables: Vec<_> = std::env::vars().collect();
    let variables = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    redact.rules(Key::passing()?, variables)?.ok_or_else(|| {
        Failure::new(Exit::Usage, "nothing is taken out: [redact] is not enabled")
            .advice("Say enabled = true there.")
    })
}

/// `check`: looks whether a configuration makes sense.
pub(crate) fn check(check: &Check) -> Result<(), Failure> {
    let path = match &check.config {
        Some(path) => path.clone(),
        None => config::usual_file()
            .filter(|path| path.exists())
            .ok_or_else(|| {
                Failure::new(Exit::Usage, "there is no configuration at its usual place")
                    .advice("Name a file with --config.")
            })?,
    };
    let flags = Flags {
        file: Some(path.clone()),
        ..Flags::default()
    };
    let config = Config::load(&flags)?;
    config.redact.rules(Key::passing()?, [])?;
    let path = printable(path.as_os_str().as_encoded_bytes()).to_string();
    print(&format!("{path}: makes sense\n"))
}
