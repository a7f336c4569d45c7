//! From what [`Rules`] are chosen.

use std::sync::Arc;

use regex::bytes::RegexBuilder;

use super::rules::{
    BUILT_IN, Compiled, File, Key, REGEX_SIZE, Rule, RuleError, RuleInfo, Rules, Shape, why,
};

/// A literal value is looked for by this much of its start.
const VALUE_KEYWORD: usize = 24;

/// Whether a value is not worth hiding.
fn trivial(value: &[u8]) -> bool {
    let path = value.starts_with(b"/") && value.iter().filter(|byte| **byte == b'/').count() > 1;
    let number = |byte: &u8| byte.is_ascii_digit() || b".,:-+ ".contains(byte);
    let first = value.first();
    value.len() < 8
        || path
        || value.iter().all(number)
        || value.iter().all(|byte| Some(byte) == first)
        || value.eq_ignore_ascii_case(b"disabled")
        || value.eq_ignore_ascii_case(b"undefined")
}

/// What [`Rules`] are made of.
#[derive(Debug, Clone)]
pub struct Builder {
    defaults: bool,
    rules: Vec<Rule>,
    without: Vec<String>,
    allow: Vec<String>,
    values: Vec<(String, Vec<u8>)>,
}

impl Builder {
    pub(super) const fn new() -> Self {
        Self {
            defaults: true,
            rules: Vec::new(),
            without: Vec::new(),
            allow: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Whether there are the built-in rules; there are if not said.
    #[must_use]
    pub const fn defaults(mut self, on: bool) -> Self {
        self.defaults = on;
        self
    }

    /// Adds a rule. It comes before the built-in ones.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Switches a rule off.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        self.without.push(id.to_owned());
        self
    }

    /// Lets a secret through in which `regex` matches.
    #[must_use]
    pub fn allow(mut self, regex: &str) -> Self {
        self.allow.push(regex.to_owned());
        self
    }

    /// Hides the value of the environment variable `name`, as rule `env`.
    ///
    /// Values that are short or common are not hidden: under 8 bytes, a number, a path.
    #[must_use]
    pub fn value(mut self, name: &str, value: &[u8]) -> Self {
        for line in value.split(|byte| *byte == b'\n') {
            self.values
                .push((name.to_owned(), line.trim_ascii().to_vec()));
        }
        self
    }

    /// Compiles the rules.
    ///
    /// # Errors
    /// When a rule or an allowed pattern cannot be used.
    pub fn build(self, key: Key) -> Result<Rules, RuleError> {
        let mut all = Vec::new();
        for (name, value) in self.values {
            if trivial(&value) || value.iter().any(|byte| *byte < b' ') {
                continue;
            }
            let id: Arc<str> = "env".into();
            let keyword = value.get(..VALUE_KEYWORD).unwrap_or(&value).to_vec();
            let compiled = Compiled {
                limit: value.len(),
                // Spaces after a line break go, so a value with spaces must stand in one line.
                join: !value.contains(&b' '),
                value,
                ..Compiled::plain(Arc::clone(&id), Shape::Value)
            };
            let description = format!("The value of the environment variable {name}");
            all.push((compiled, RuleInfo { id, description }, vec![keyword]));
        }
        for rule in self.rules {
            all.push(rule.compile()?);
        }
        if self.defaults {
            let file: File = toml::from_str(BUILT_IN).map_err(|error| RuleError::BuiltIn {
                why: error.message().to_owned(),
            })?;
            for entry in file.rule {
                all.push(entry.compile()?);
            }
        }
        for id in &self.without {
            let count = all.len();
            all.retain(|(_, info, _)| *info.id != **id);
            if all.len() == count && id != "env" && self.defaults {
                return Err(RuleError::Unknown { id: id.clone() });
            }
        }
        let allow = self.allow.iter().map(|pattern| {
            let built = RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build();
            built.map_err(|error| RuleError::Allow {
                pattern: pattern.clone(),
                why: why(&error),
            })
        });
        Ok(Rules::new(all, allow.collect::<Result<_, _>>()?, key))
    }
}
