//! What was written: a struct with named fields, and their attributes.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Generics, Ident, Type};

use crate::attr::{FieldAttributes, RowAttributes};

/// The struct.
pub(crate) struct Row<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) attributes: RowAttributes,
    pub(crate) fields: Vec<Field<'a>>,
}

/// One of its fields.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) attributes: FieldAttributes,
}

impl Field<'_> {
    /// Where to point for what concerns its name: the `name` that was given, or the field's.
    pub(crate) fn span(&self) -> Span {
        match &self.attributes.name {
            Some(name) => name.span(),
            None => self.ident.span(),
        }
    }

    /// The field's name in tmux's words: without the `r#` of a keyword.
    pub(crate) fn name(&self) -> String {
        let name = self.ident.to_string();
        name.strip_prefix("r#").unwrap_or(&name).to_owned()
    }
}

impl<'a> Row<'a> {
    /// Takes the struct apart.
    ///
    /// # Errors
    /// It is none, or has no named fields; attributes that do not read, all of them.
    pub(crate) fn read(input: &'a DeriveInput) -> Result<Self, Error> {
        let data = match &input.data {
            Data::Struct(data) => data,
            Data::Enum(data) => return Err(no_struct(data.enum_token.span, "an enum")),
            Data::Union(data) => return Err(no_struct(data.union_token.span, "a union")),
        };
        let named = match &data.fields {
            Fields::Named(named) if !named.named.is_empty() => &named.named,
            Fields::Named(_) | Fields::Unit => {
                return Err(Error::new(
                    input.ident.span(),
                    "a row needs at least one field: name one after a variable of tmux, such as \
                     `pane_id: PaneId`",
                ));
            }
            Fields::Unnamed(unnamed) => {
                return Err(Error::new(
                    unnamed.span(),
                    "the fields of a row need names: each is named after a variable of tmux, such \
                     as `pane_id: PaneId`",
                ));
            }
        };
        let mut errors = Errors::default();
        let attributes = errors.keep(RowAttributes::read(&input.attrs));
        let fields = named.iter().filter_map(|field| {
            let ident = field.ident.as_ref()?;
            Some(Field {
                ident,
                ty: &field.ty,
                attributes: errors.keep(FieldAttributes::read(&field.attrs)),
            })
        });
        let fields = fields.collect();
        errors.none()?;
        Ok(Self {
            ident: &input.ident,
            generics: &input.generics,
            attributes,
            fields,
        })
    }
}

fn no_struct(span: Span, what: &str) -> Error {
    Error::new(
        span,
        format_args!("a row is a struct with named fields, not {what}"),
    )
}

/// Errors, as many as there are.
#[derive(Default)]
pub(crate) struct Errors {
    all: Option<Error>,
}

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.all {
            Some(all) => all.combine(error),
            None => self.all = Some(error),
        }
    }

    /// What was read, or what is there by default: the error is remembered.
    pub(crate) fn keep<T: Default>(&mut self, read: Result<T, Error>) -> T {
        read.unwrap_or_else(|error| {
            self.push(error);
            T::default()
        })
    }

    /// # Errors
    /// All of them, and what is wrong with `last` besides.
    pub(crate) fn finish<T>(self, last: Result<T, Error>) -> Result<T, Error> {
        match last {
            Ok(value) => self.none().map(|()| value),
            Err(error) => match self.all {
                Some(mut all) => {
                    all.combine(error);
                    Err(all)
                }
                None => Err(error),
            },
        }
    }

    /// # Errors
    /// All of them, in the order of the source.
    pub(crate) fn none(self) -> Result<(), Error> {
        self.all.map_or(Ok(()), Err)
    }
}
