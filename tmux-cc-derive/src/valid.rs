//! Whether it is sensible, and what to do where it is not.

use syn::spanned::Spanned;
use syn::{Error, GenericParam, LitStr};

use crate::ast::{Errors, Field, Row};
use crate::kinds::{self, Held, Holds};
use crate::variables::{self, Variable};
use crate::version::Version;

/// A row that can be expanded.
pub(crate) struct Valid<'a> {
    /// The least tmux that it asks for, where that is more than the floor.
    pub(crate) since: Option<Version>,
    pub(crate) columns: Vec<Column<'a>>,
}

/// One of its fields.
pub(crate) struct Column<'a> {
    pub(crate) field: &'a Field<'a>,
    pub(crate) source: Source,
    /// With which version the value came, where that is later than the floor.
    pub(crate) since: Option<Version>,
    /// The first version without it.
    pub(crate) until: Option<Version>,
    /// May it be missing on a server that does not know it?
    pub(crate) optional: bool,
    /// Is it its type's default where it is empty?
    pub(crate) default: bool,
}

/// Where a value comes from.
pub(crate) enum Source {
    /// A variable or an option; a plain one holds nothing that needs quoting.
    Variable { name: String, plain: bool },
    /// Any format.
    Format(String),
}

impl Source {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Variable { name, .. } | Self::Format(name) => name,
        }
    }
}

/// # Errors
/// Everything that is wrong, each at the place where it is to be mended.
pub(crate) fn check<'a>(row: &'a Row<'a>) -> Result<Valid<'a>, Error> {
    let mut errors = Errors::default();
    for parameter in &row.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            errors.push(Error::new(
                lifetime.span(),
                "a row owns what it holds and cannot borrow: use String or Vec<u8> in place of \
                 references",
            ));
        }
    }
    let floor = row.attributes.since.unwrap_or(Version::FLOOR);
    let mut columns = Vec::new();
    for field in &row.fields {
        match column(field, floor) {
            Ok(column) => columns.push(column),
            Err(error) => errors.push(error),
        }
    }
    errors.none()?;
    let since = row.attributes.since.filter(|since| *since > Version::FLOOR);
    Ok(Valid { since, columns })
}

fn column<'a>(field: &'a Field<'a>, floor: Version) -> Result<Column<'a>, Error> {
    let held = Held::of(field.ty);
    let mut errors = Errors::default();
    errors.keep(check_default(field, &held));
    errors.keep(check_since(field, &held, floor));
    let asked = asked(field);
    if let Ok(asked) = &asked {
        errors.keep(check_type(field, &held, asked));
        if let Asked::Known(variable) = asked {
            errors.keep(check_versions(field, variable, floor));
        }
    }
    let asked = errors.finish(asked)?;
    let default = field.attributes.default.is_some();
    let known = match &asked {
        Asked::Known(variable) => Some(*variable),
        _ => None,
    };
    Ok(Column {
        field,
        since: known
            .and_then(|variable| Version::parse(variable.since))
            .or_else(|| field.attributes.since.map(|since| since.0))
            .filter(|since| *since > Version::FLOOR),
        until: known.and_then(|variable| Version::parse(variable.until?)),
        optional: field.attributes.since.is_some(),
        default,
        source: match asked {
            Asked::Known(variable) => Source::Variable {
                name: variable.name.to_owned(),
                plain: kinds::is_plain(variable.kind),
            },
            Asked::Name(name) => Source::Variable { name, plain: false },
            Asked::Format(format) => Source::Format(format),
        },
    })
}

/// What a field asks for.
enum Asked {
    /// A variable of the table.
    Known(&'static Variable),
    /// A user option, or a name that is not to be checked.
    Name(String),
    Format(String),
}

fn asked(field: &Field<'_>) -> Result<Asked, Error> {
    let attributes = &field.attributes;
    match (&attributes.name, &attributes.format) {
        (Some(name), Some(_)) => Err(Error::new(
            name.span(),
            "`name` and `format` both say what to ask for: leave one of them out",
        )),
        (None, Some(format)) => match attributes.unchecked {
            Some(span) => Err(Error::new(
                span,
                "a `format` is never checked: leave `unchecked` out",
            )),
            None => check_format(format).map(Asked::Format),
        },
        (name, None) => named(field, name.as_ref()),
    }
}

fn named(field: &Field<'_>, name: Option<&LitStr>) -> Result<Asked, Error> {
    let (span, name) = match name {
        Some(name) => (name.span(), name.value()),
        None => (field.ident.span(), field.name()),
    };
    let wrong = |message: String| Err(Error::new(span, message));
    if let Some(option) = name.strip_prefix('@') {
        return if is_word(option) {
            Ok(Asked::Name(name))
        } else {
            wrong(format!(
                "`{name}` cannot be asked for: a user option is `@` and letters, digits, `_` and `-`"
            ))
        };
    }
    if field.attributes.unchecked.is_some() {
        return if is_word(&name) {
            Ok(Asked::Name(name))
        } else {
            wrong(format!(
                "`{name}` is no name: a name has letters, digits, `_` and `-` only; any other format \
                 goes into #[tmux(format = \"...\")]"
            ))
        };
    }
    if let Some(variable) = variables::find(&name) {
        return Ok(Asked::Known(variable));
    }
    match variables::nearest(&name) {
        Some(near) => wrong(format!(
            "tmux has no variable `{name}`: did you mean `{near}`?"
        )),
        None if is_word(&name) => wrong(format!(
            "tmux has no variable `{name}`: name the field after one, say which one by \
             #[tmux(name = \"...\")], or put #[tmux(unchecked)] on it if your tmux has this one (an \
             option is asked for by its name too)"
        )),
        None => wrong(format!(
            "`{name}` is no name of a variable: any other format goes into #[tmux(format = \"...\")]"
        )),
    }
}

fn is_word(name: &str) -> bool {
    let of_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    !name.is_empty() && name.bytes().all(of_word)
}

/// A format stands inside another one: it may close no brace that it has not opened.
fn check_format(format: &LitStr) -> Result<String, Error> {
    let text = format.value();
    let wrong = |message: &str| Err(Error::new(format.span(), message));
    if text.is_empty() {
        return wrong("an empty format is always empty: leave the field out");
    }
    if text.contains('\0') {
        return wrong("a format cannot hold a NUL byte");
    }
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'#' => match bytes.next() {
                Some(next) => depth += usize::from(next == b'{'),
                None => {
                    return wrong(
                        "this format ends in a `#` that begins nothing: a `#` alone is `##`",
                    );
                }
            },
            b'}' if depth == 0 => {
                return wrong(
                    "this format closes a brace that it did not open: a `}` alone is `#}`",
                );
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    if depth > 0 {
        return wrong("this format has a `#{` without its `}`");
    }
    Ok(text)
}

fn check_default(field: &Field<'_>, held: &Held) -> Result<(), Error> {
    match field.attributes.default {
        Some(span) if held.option => Err(Error::new(
            span,
            "an Option is None where the value is empty: leave `default` out",
        )),
        _ => Ok(()),
    }
}

fn check_since(field: &Field<'_>, held: &Held, floor: Version) -> Result<(), Error> {
    let Some((since, span)) = field.attributes.since else {
        return Ok(());
    };
    if since <= floor {
        return Err(Error::new(
            span,
            format_args!(
                "`since` on a field says that older servers leave it empty, but the row is for tmux \
                 {floor} and later anyway: leave it out"
            ),
        ));
    }
    if !held.option && field.attributes.default.is_none() {
        return Err(Error::new(
            span,
            format_args!(
                "on servers before {since} this field is empty: make it an Option, or put \
                 #[tmux(default)] on it"
            ),
        ));
    }
    Ok(())
}

fn check_versions(field: &Field<'_>, variable: &Variable, floor: Version) -> Result<(), Error> {
    let name = variable.name;
    let wrong = |message: String| Err(Error::new(field.span(), message));
    let until = variable.until.and_then(Version::parse);
    if let Some(until) = until.filter(|until| *until <= floor) {
        return wrong(format!(
            "`{name}` is gone since tmux {until}, and the row is for tmux {floor} and later: leave \
             the field out"
        ));
    }
    let Some(since) = Version::parse(variable.since) else {
        return Ok(());
    };
    match &field.attributes.since {
        Some((said, span)) if *said < since => Err(Error::new(
            *span,
            format_args!("`{name}` came with tmux {since}, not with {said}"),
        )),
        None if since > floor => wrong(format!(
            "`{name}` came with tmux {since}, and the row is for tmux {floor} and later: make it an \
             Option with #[tmux(since = \"{since}\")], or put #[tmux(since = \"{since}\")] on the \
             struct to ask for that tmux"
        )),
        _ => Ok(()),
    }
}

fn check_type(field: &Field<'_>, held: &Held, asked: &Asked) -> Result<(), Error> {
    let wrong = |message: String| Err(Error::new_spanned(field.ty, message));
    let (name, kind, empty) = match asked {
        Asked::Known(variable) => (variable.name, Some(variable.kind), variable.empty),
        // An option of the user's may not be set.
        Asked::Name(name) => (name.as_str(), None, name.starts_with('@')),
        Asked::Format(format) => (format.as_str(), None, false),
    };
    if let Holds::Nothing { instead } = held.holds {
        return wrong(format!("no value of tmux is such a type: {instead}"));
    }
    if let Some(kind) = kind.filter(|kind| !held.can_hold(*kind)) {
        return wrong(format!(
            "`{name}` is {}, which this type cannot hold: {}",
            kinds::looks(kind),
            kinds::advice(kind)
        ));
    }
    if empty && field.attributes.default.is_none() && !held.can_be_empty() {
        let ty = field.ty;
        let ty = quote::quote!(#ty).to_string().replace(' ', "");
        return wrong(format!(
            "`{name}` is empty at times, which this type cannot be: make it an Option<{ty}>, or put \
             #[tmux(default)] on the field"
        ));
    }
    Ok(())
}
