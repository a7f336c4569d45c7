//! TOML into shapes, so that a wrong value costs that value alone and the reading goes on.
//!
//! A deserializer stops at its first error; who edits a file wants all of them. So every value is
//! read for itself, and what is wrong is noted with the place where it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{At, Mistakes, Place};
use super::nearest::nearest;

/// A value as it stands in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    /// The key that it is of; of an element of a list, the list's.
    pub(super) name: &'a str,
    pub(super) value: &'a DeValue<'a>,
    pub(super) place: Place,
}

impl Node<'_> {
    /// Notes that it is not of the type that is wanted; `right` is one that is.
    pub(super) fn wrong_type<T>(self, mistakes: &mut Mistakes, right: &str) -> Option<T> {
        let kind = self.value.type_str();
        let article = if kind.starts_with(['a', 'i']) {
            "an"
        } else {
            "a"
        };
        let what = format!("`{}` is {article} {kind}", self.name);
        mistakes.add(self.place, what, right);
        None
    }
}

/// What can be read of a value.
pub(super) trait Value: Sized {
    /// Reads it; `None` when it is wrong, which was noted then.
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self>;
}

/// What is read of a text.
pub(super) trait Text: Sized {
    /// What would be right.
    const RIGHT: &'static str;

    /// Reads it; the error says what is wrong.
    fn parse(text: &str) -> Result<Self, String>;

    /// [`Value::read`] of it.
    fn read_text(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let DeValue::String(text) = node.value else {
            return node.wrong_type(mistakes, Self::RIGHT);
        };
        match Self::parse(text) {
            Ok(value) => Some(value),
            Err(what) => {
                mistakes.add(node.place, what, Self::RIGHT);
                None
            }
        }
    }
}

/// One field of a section.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Field<T> {
    /// It is not there.
    #[default]
    Missing,
    /// It is there and wrong, which was noted.
    Wrong,
    /// It says something.
    Given(At<T>),
}

impl<T> Field<T> {
    pub(super) const fn given(&self) -> Option<&At<T>> {
        match self {
            Self::Given(at) => Some(at),
            Self::Missing | Self::Wrong => None,
        }
    }

    pub(super) const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// Something that has a name of the user's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry<T> {
    /// Where the name stands.
    pub(super) key: Place,
    /// `None` when it is wrong, which was noted.
    pub(super) value: Option<At<T>>,
}

/// What the user named.
pub(super) type Named<T> = BTreeMap<String, Entry<T>>;

/// A table whose keys are known.
pub(super) trait Section: Sized {
    /// The keys.
    const FIELDS: &'static [&'static str];
    /// What a table of them looks like.
    const RIGHT: &'static str;

    /// Takes them.
    fn take(keys: &mut Keys<'_, '_>) -> Self;
}

/// The keys of a table that were not taken yet.
#[derive(Debug)]
pub(super) struct Keys<'a, 'm> {
    table: BTreeMap<&'a str, (Place, &'a Spanned<DeValue<'a>>)>,
    mistakes: &'m mut Mistakes,
}

impl Keys<'_, '_> {
    /// Takes the value of a key.
    pub(super) fn take<T: Value>(&mut self, name: &'static str) -> Field<T> {
        let Some((key, value)) = self.table.remove(name) else {
            return Field::Missing;
        };
        At::read(node(name, key, value), self.mistakes).map_or(Field::Wrong, Field::Given)
    }
}

/// Reads a table whose keys are known. `elsewhere` says where a key belongs that is not one of them.
pub(super) fn section<S: Section>(
    table: &DeTable<'_>,
    file: usize,
    mistakes: &mut Mistakes,
    elsewhere: fn(&str) -> Option<&'static str>,
) -> S {
    let mut keys = Keys {
        table: table
            .iter()
            .map(|(key, value)| {
                let offset = key.span().start;
                (key.get_ref().as_ref(), (Place { file, offset }, value))
            })
            .collect(),
        mistakes,
    };
    let section = S::take(&mut keys);
    for (name, (place, _)) in &keys.table {
        let right = if let Some(home) = elsewhere(name) {
            format!("it belongs in {home}")
        } else if let Some(near) = nearest(name, S::FIELDS.iter().copied()) {
            format!("did you mean `{near}`?")
        } else {
            format!("one of {}", S::FIELDS.join(", "))
        };
        keys.mistakes
            .add(*place, format!("unknown field `{name}`"), right);
    }
    section
}

/// The node of a value in the table in which its key stands at `key`.
pub(super) fn node<'a>(name: &'a str, key: Place, value: &'a Spanned<DeValue<'a>>) -> Node<'a> {
    let place = match value.get_ref() {
        // The span of a table with a header of its own is of little help: it may begin anywhere.
        DeValue::Table(_) => key,
        _ => Place {
            offset: value.span().start,
            ..key
        },
    };
    Node {
        name,
        value: value.get_ref(),
        place,
    }
}

/// The name of a field without the `r#` of a keyword.
pub(super) const fn unraw(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Declares tables whose keys are known, with what reads them and their JSON Schema.
macro_rules! sections {
    ($(
        $(#[$meta:meta])*
        $name:ident $right:literal { $( $(#[$about:meta])* $field:ident: $type:ty, )* }
    )*) => {$(
        #[derive(Debug, Clone, PartialEq, Default, schemars::JsonSchema)]
        #[schemars(default, deny_unknown_fields)]
        $(#[$meta])*
        pub(super) struct $name {
            $( $(#[$about])* pub(super) $field: crate::config::reading::Field<$type>, )*
        }

        impl crate::config::reading::Section for $name {
            const FIELDS: &'static [&'static str] =
                &[$( crate::config::reading::unraw(stringify!($field)) ),*];
            const RIGHT: &'static str = $right;

            fn take(keys: &mut crate::config::reading::Keys<'_, '_>) -> Self {
                Self { $( $field: keys.take(crate::config::reading::unraw(stringify!($field))), )* }
            }
        }

        impl crate::config::reading::Value for $name {
            fn read(
                node: crate::config::reading::Node<'_>,
                mistakes: &mut crate::config::mistake::Mistakes,
            ) -> Option<Self> {
                match node.value {
                    toml::de::DeValue::Table(table) => Some(crate::config::reading::section(
                        table, node.place.file, mistakes, elsewhere,
                    )),
                    _ => node.wrong_type(
                        mistakes,
                        <Self as crate::config::reading::Section>::RIGHT,
                    ),
                }
            }
        }
    )*};
}
pub(super) use sections;

/// Declares choices between words, with what reads them and their JSON Schema.
macro_rules! choices {
    ($(
        $(#[$meta:meta])*
        $name:ident { $( $(#[$about:meta])* $variant:ident = $word:literal, )* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, schemars::JsonSchema)]
        pub enum $name {
            $( $(#[$about])* #[schemars(rename = $word)] $variant, )*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// As it is written in a file.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),* }
            }
        }

        impl crate::config::reading::Value for $name {
            fn read(
                node: crate::config::reading::Node<'_>,
                mistakes: &mut crate::config::mistake::Mistakes,
            ) -> Option<Self> {
                crate::config::reading::choice(node, mistakes, &[$( ($word, Self::$variant) ),*])
            }
        }
    )*};
}
pub(super) use choices;

/// Reads one of `words`.
pub(super) fn choice<T: Copy>(
    node: Node<'_>,
    mistakes: &mut Mistakes,
    words: &[(&'static str, T)],
) -> Option<T> {
    let all = || {
        let quoted: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        match quoted.as_slice() {
            [one] => one.clone(),
            several => format!("one of {}", several.join(", ")),
        }
    };
    let DeValue::String(text) = node.value else {
        return node.wrong_type(mistakes, &all());
    };
    let found = words.iter().find(|(word, _)| *word == text.as_ref());
    if found.is_none() {
        let right = nearest(text, words.iter().map(|(word, _)| *word))
            .map_or_else(all, |near| format!("did you mean {near:?}?"));
        mistakes.add(
            node.place,
            format!("`{}` cannot be {text:?}", node.name),
            right,
        );
    }
    found.map(|(_, choice)| *choice)
}

/// Declares that a type is read of a text and is a text in the JSON Schema.
macro_rules! text_values {
    ($($name:ty),*) => {$(
        impl crate::config::reading::Value for $name {
            fn read(
                node: crate::config::reading::Node<'_>,
                mistakes: &mut crate::config::mistake::Mistakes,
            ) -> Option<Self> {
                <Self as crate::config::reading::Text>::read_text(node, mistakes)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": <Self as crate::config::reading::Text>::RIGHT,
                })
            }
        }
    )*};
}
pub(super) use text_values;

impl<T: Value> At<T> {
    /// Reads it with its place.
    pub(super) fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        T::read(node, mistakes).map(|value| Self {
            value,
            place: node.place,
        })
    }
}

/// A schema is of the value alone: neither its place nor its absence is in it.
macro_rules! schema_of_value {
    ($($name:ident),*) => {$(
        impl<T: JsonSchema> JsonSchema for $name<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    )*};
}
schema_of_value!(Field, At, Entry);
