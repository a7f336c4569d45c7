//! The tokens of an implementation.

use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericParam, Generics, Ident, Type, WhereClause, parse_quote};

use crate::ast::Row;
use crate::valid::{Column, Source, Valid};

/// Where `tmux-cc` keeps what is emitted, under a name that only its own version has.
pub(crate) fn private() -> TokenStream {
    let version = env!("CARGO_PKG_VERSION").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let module = format_ident!("__private_{version}");
    quote!(::tmux_cc::#module)
}

pub(crate) fn expand(row: &Row<'_>, valid: &Valid<'_>) -> TokenStream {
    let private = private();
    let ident = row.ident;
    let format: String = valid
        .columns
        .iter()
        .map(|column| piece(&column.source))
        .collect();
    let columns = valid
        .columns
        .iter()
        .map(|column| describe(column, &private));
    let since = valid.since.map(|since| {
        let since = since.tokens(&private);
        quote!(const SINCE: #private::Version = #since;)
    });
    let fields = valid.columns.iter().map(|column| {
        let (field, ty) = (column.field.ident, column.field.ty);
        let name = column.source.name();
        let take = if column.default {
            quote_spanned!(ty.span()=> take_or_default)
        } else {
            quote_spanned!(ty.span()=> take)
        };
        quote!(#field: fields.#take::<#ty>(#name)?)
    });
    let clause = clause(row.generics, &valid.columns, &private);
    let (generics, arguments, _) = row.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics #private::FromFormat for #ident #arguments #clause {
            const FORMAT: &'static ::core::primitive::str = #format;
            const COLUMNS: &'static [#private::Column] = &[#(#columns),*];
            #since
            fn from_fields(
                fields: &mut #private::Fields<'_>,
            ) -> ::core::result::Result<Self, #private::RowError> {
                ::core::result::Result::Ok(Self { #(#fields),* })
            }
        }
    }
}

/// What asks tmux for one value, and for the `|` that ends it.
///
/// `q:` puts a backslash before what a shell would take for its own, backslash and `|` among it. It
/// does so for variables only: elsewhere a substitution does it, and `#{l:}`, which is nothing,
/// keeps a format that begins with `?` from being taken for part of that.
fn piece(source: &Source) -> String {
    match source {
        Source::Variable { name, plain: true } => format!("#{{{name}}}|"),
        Source::Variable { name, plain: false } => format!("#{{q:{name}}}|"),
        Source::Format(format) => format!("#{{s/[\\|$]/\\\\\\0/:#{{l:}}{format}}}|"),
    }
}

fn describe(column: &Column<'_>, private: &TokenStream) -> TokenStream {
    let (field, source) = (column.field.name(), column.source.name());
    let made = quote!(#private::Column::new(#field, #source));
    let since = column.since.map(|since| {
        let since = since.tokens(private);
        quote!(.since(#since))
    });
    let until = column.until.map(|until| {
        let until = until.tokens(private);
        quote!(.until(#until))
    });
    let optional = column.optional.then(|| quote!(.optional()));
    quote!(#made #since #until #optional)
}

/// The struct's own bounds, and one for each field whose type is, or holds, one of its parameters.
fn clause(
    generics: &Generics,
    columns: &[Column<'_>],
    private: &TokenStream,
) -> Option<WhereClause> {
    let parameters: Vec<&Ident> = generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let mut generics = generics.clone();
    for column in columns {
        let ty = column.field.ty;
        if mentions(ty, &parameters) {
            let clause = generics.make_where_clause();
            clause
                .predicates
                .push(parse_quote!(#ty: #private::FromValue));
            if column.default {
                clause
                    .predicates
                    .push(parse_quote!(#ty: ::core::default::Default));
            }
        }
    }
    generics.where_clause
}

fn mentions(ty: &Type, parameters: &[&Ident]) -> bool {
    fn any(tokens: TokenStream, parameters: &[&Ident]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => parameters.contains(&&ident),
            TokenTree::Group(group) => any(group.stream(), parameters),
            _ => false,
        })
    }
    !parameters.is_empty() && any(quote!(#ty), parameters)
}
