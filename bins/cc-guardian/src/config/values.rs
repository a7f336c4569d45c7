//! Values that are more than a string or a number: spans, sizes, names, commands.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use cc_kit::config::{Bytes, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::mistake::{At, Mistakes};
use super::reading::{Node, Text, Value, text_values};
use super::signal::Signal;
use super::unit::{ExitStatus, Ready};
use super::written::DependencyTable;

/// A span of time, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanText(pub(super) Duration);

impl Text for SpanText {
    const RIGHT: &'static str = "a span of time above 0, such as \"5s\", \"20m\" or \"24h\"";

    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(Span(Duration::ZERO)) => Err(format!("{text:?} is no time at all")),
            Ok(Span(span)) => Ok(Self(span)),
            Err(_) => Err(format!("{text:?} is no span of time")),
        }
    }
}

/// A span of time, or `"never"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpanOrNever(pub(super) Option<Duration>);

impl Text for SpanOrNever {
    const RIGHT: &'static str = "a span of time above 0, such as \"20m\", or \"never\"";

    fn parse(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        SpanText::parse(text).map(|SpanText(span)| Self(Some(span)))
    }
}

/// A path, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathText(pub(super) PathBuf);

impl Text for PathText {
    const RIGHT: &'static str = "a path; one that begins with ~/ begins at the home";

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty path".to_owned());
        }
        if text.contains('\0') {
            return Err("a path with a NUL".to_owned());
        }
        Ok(Self(text.into()))
    }
}

/// A name: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(pub(super) String);

impl Text for Name {
    const RIGHT: &'static str = "1 to 64 of A-Z, a-z, 0-9, _ and -";

    fn parse(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is no name"))
        }
    }
}

text_values!(SpanText, SpanOrNever, PathText, Name);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl Size {
    const RIGHT: &'static str = "a size above 0, such as \"512M\", \"3GiB\" or a number of bytes";
}

impl Value for Size {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let (shown, size) = match node.value {
            DeValue::String(text) => {
                let size = text.parse().ok().map(|Bytes(size)| size);
                (format!("{text:?}"), size)
            }
            DeValue::Integer(number) => {
                let size = u64::from_str_radix(number.as_str(), number.radix()).ok();
                (number.to_string(), size)
            }
            _ => return node.wrong_type(mistakes, Self::RIGHT),
        };
        let size = size.filter(|&size| size > 0).map(Self);
        if size.is_none() {
            mistakes.add(node.place, format!("{shown} is no size"), Self::RIGHT);
        }
        size
    }
}

/// A program and its arguments, or a text for a shell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    Argv(Vec<At<String>>),
    Text(String),
}

impl Value for Command {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        match node.value {
            DeValue::String(text) => Some(Self::Text(text.to_string())),
            DeValue::Array(elements) => {
                // One wrong argument spoils the command: the others would mean something else.
                let argv: Vec<At<String>> = Value::read(node, mistakes)?;
                (argv.len() == elements.len()).then_some(Self::Argv(argv))
            }
            _ => node.wrong_type(mistakes, "a list of the program and its arguments"),
        }
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OneOrMore<T>(pub(super) Vec<At<T>>);

impl<T: Value> Value for OneOrMore<T> {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        match node.value {
            DeValue::Array(_) => Value::read(node, mistakes).map(Self),
            _ => At::read(node, mistakes).map(|one| Self(vec![one])),
        }
    }
}

/// A unit that must be ready first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dependency {
    pub(super) unit: At<String>,
    /// `None`: as the unit allows.
    pub(super) ready: Option<At<Ready>>,
}

impl Value for Dependency {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let right = "\"UNIT\" or { unit = \"UNIT\", ready = \"running\" }";
        match node.value {
            DeValue::String(_) => At::read(node, mistakes).map(|unit| Self { unit, ready: None }),
            DeValue::Table(_) => {
                let table = DependencyTable::read(node, mistakes)?;
                if table.unit.is_missing() {
                    mistakes.add(node.place, "no `unit` is named", right);
                }
                let ready = table.ready.given().cloned();
                let unit = table.unit.given()?.clone();
                Some(Self { unit, ready })
            }
            _ => node.wrong_type(mistakes, right),
        }
    }
}

impl Value for ExitStatus {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let right = "a number 0 to 255 or a signal such as \"TERM\"";
        match node.value {
            DeValue::String(_) => Signal::read(node, mistakes).map(Self::Signal),
            DeValue::Integer(number) => {
                let code = u8::from_str_radix(number.as_str(), number.radix()).ok();
                if code.is_none() {
                    mistakes.add(node.place, format!("{number} is no exit status"), right);
                }
                code.map(Self::Code)
            }
            _ => node.wrong_type(mistakes, right),
        }
    }
}

/// Says the JSON Schema of a type in place.
macro_rules! schema_as {
    ($($name:ident, $generator:ident => $schema:expr;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

schema_as! {
    Size, _generator => json_schema!({
        "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 1 }],
        "description": Self::RIGHT,
    });
    Command, _generator => json_schema!({
        "anyOf": [
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            { "type": "string", "minLength": 1 },
        ],
    });
    Dependency, generator => json_schema!({
        "anyOf": [{ "type": "string" }, generator.subschema_for::<DependencyTable>()],
    });
    ExitStatus, _generator => json_schema!({
        "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 255 },
            { "type": "string", "description": Signal::RIGHT },
        ],
    });
}

impl<T: JsonSchema> JsonSchema for OneOrMore<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMore{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}
