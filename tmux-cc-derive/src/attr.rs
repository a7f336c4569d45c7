//! What the attributes ask for.

use proc_macro2::{Span, TokenTree};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Error, LitStr, Token};

use crate::ast::Errors;
use crate::version::Version;

/// `#[tmux(...)]` on the struct.
#[derive(Default)]
pub(crate) struct RowAttributes {
    /// The least tmux that the row is for.
    pub(crate) since: Option<Version>,
}

/// `#[tmux(...)]` on a field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    /// The variable, where it is not called like the field.
    pub(crate) name: Option<LitStr>,
    /// Any format in place of a variable.
    pub(crate) format: Option<LitStr>,
    /// The name need not be in the table.
    pub(crate) unchecked: Option<Span>,
    /// An empty value is the type's default.
    pub(crate) default: Option<Span>,
    /// On servers before this version the field is empty.
    pub(crate) since: Option<(Version, Span)>,
}

impl RowAttributes {
    /// # Errors
    /// Keys that do not exist, come twice or have a wrong value: all of them.
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self, Error> {
        let mut read = Self::default();
        each_key(attributes, |meta, key| match key {
            "since" => once(meta, &mut read.since, since),
            "name" | "format" | "unchecked" | "default" => Err(meta.error(format_args!(
                "`{key}` belongs on a field; the struct itself takes `since`"
            ))),
            _ => Err(unknown(meta, key, "the struct itself takes `since`")),
        })?;
        Ok(read)
    }
}

impl FieldAttributes {
    /// # Errors
    /// As for the struct.
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self, Error> {
        let mut read = Self::default();
        each_key(attributes, |meta, key| match key {
            "name" => once(meta, &mut read.name, text),
            "format" => once(meta, &mut read.format, text),
            "unchecked" => once(meta, &mut read.unchecked, word),
            "default" => once(meta, &mut read.default, word),
            "since" => once(meta, &mut read.since, placed_since),
            _ => Err(unknown(
                meta,
                key,
                "a field takes `name`, `format`, `unchecked`, `default` and `since`",
            )),
        })?;
        Ok(read)
    }
}

/// Gives every key in every `#[tmux(...)]` to `read`, and goes on behind one that it refuses.
fn each_key(
    attributes: &[Attribute],
    mut read: impl FnMut(&ParseNestedMeta<'_>, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut errors = Errors::default();
    for attribute in attributes {
        if !attribute.path().is_ident("tmux") {
            continue;
        }
        let parsed = attribute.parse_nested_meta(|meta| {
            if let Err(error) = read(&meta, &key_of(&meta)) {
                errors.push(error);
                skip_value(&meta)?;
            }
            Ok(())
        });
        if let Err(error) = parsed {
            errors.push(error);
        }
    }
    errors.none()
}

/// Passes over what is left of a key that was refused.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<(), Error> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn once<T>(
    meta: &ParseNestedMeta<'_>,
    slot: &mut Option<T>,
    value: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T, Error>,
) -> Result<(), Error> {
    if slot.is_some() {
        return Err(meta.error(format_args!(
            "`{}` is given twice: leave one of them out",
            key_of(meta)
        )));
    }
    *slot = Some(value(meta)?);
    Ok(())
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr, Error> {
    let key = key_of(meta);
    let wrong = |span| Error::new(span, format_args!("`{key}` takes a text: {key} = \"...\""));
    let value = meta.value().map_err(|_| wrong(meta.path.span()))?;
    let span = value.span();
    value.parse().map_err(|_| wrong(span))
}

fn word(meta: &ParseNestedMeta<'_>) -> Result<Span, Error> {
    if meta.input.is_empty() || meta.input.peek(Token![,]) {
        return Ok(meta.path.span());
    }
    Err(meta.error(format_args!(
        "`{0}` takes no value: write `{0}` alone",
        key_of(meta)
    )))
}

/// The key as it is written.
fn key_of(meta: &ParseNestedMeta<'_>) -> String {
    let path = &meta.path;
    quote!(#path).to_string().replace(' ', "")
}

fn since(meta: &ParseNestedMeta<'_>) -> Result<Version, Error> {
    let text = text(meta)?;
    let Some(version) = Version::parse(&text.value()) else {
        return Err(Error::new(
            text.span(),
            "not a version of tmux: write a release, such as since = \"3.6\" or since = \"3.3a\"",
        ));
    };
    if version < Version::FLOOR {
        return Err(Error::new(
            text.span(),
            format_args!(
                "tmux {} is the oldest that tmux-cc works with: leave `since` out to ask for no \
                 more than that",
                Version::FLOOR
            ),
        ));
    }
    Ok(version)
}

fn placed_since(meta: &ParseNestedMeta<'_>) -> Result<(Version, Span), Error> {
    Ok((since(meta)?, meta.path.span()))
}

fn unknown(meta: &ParseNestedMeta<'_>, key: &str, takes: &str) -> Error {
    meta.error(format_args!("there is no `{key}` in #[tmux(...)]: {takes}"))
}
