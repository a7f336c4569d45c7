//! Which type can hold which kind of value.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

use crate::variables::Kind;

/// What a field's type can hold, as far as its name tells.
pub(crate) struct Held {
    /// Is it an `Option`?
    pub(crate) option: bool,
    pub(crate) holds: Holds,
}

/// The same for what may stand in an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Flag,
    Unsigned {
        bits: u8,
    },
    Signed {
        bits: u8,
    },
    /// Bytes or text: it can hold anything.
    Text,
    Id(Kind),
    Time,
    Version,
    /// A type of the language that no value of tmux is read as, and what to use in its place.
    Nothing {
        instead: &'static str,
    },
    /// Somebody's own: the compiler asks whether it is a value.
    Any,
}

impl Held {
    pub(crate) fn of(ty: &Type) -> Self {
        match last_segment(ty) {
            Some(segment) if segment.ident == "Option" => match argument(segment) {
                Some(inner) => Self {
                    option: true,
                    holds: Holds::of(inner),
                },
                None => Self {
                    option: true,
                    holds: Holds::Any,
                },
            },
            _ => Self {
                option: false,
                holds: Holds::of(ty),
            },
        }
    }

    pub(crate) fn can_hold(&self, kind: Kind) -> bool {
        match self.holds {
            Holds::Any | Holds::Text => true,
            Holds::Flag => kind == Kind::Flag,
            Holds::Unsigned { bits } => match kind {
                Kind::Flag | Kind::Number => true,
                Kind::Time => bits >= 64,
                _ => false,
            },
            Holds::Signed { bits } => match kind {
                Kind::Flag | Kind::Number | Kind::Signed => true,
                Kind::Time => bits >= 64,
                _ => false,
            },
            Holds::Id(id) => kind == id,
            Holds::Time => kind == Kind::Time,
            Holds::Version => kind == Kind::Text,
            Holds::Nothing { .. } => false,
        }
    }

    pub(crate) fn can_be_empty(&self) -> bool {
        self.option || matches!(self.holds, Holds::Flag | Holds::Text | Holds::Any)
    }
}

impl Holds {
    fn of(ty: &Type) -> Self {
        if let Type::Reference(_) = ty {
            return Self::Nothing {
                instead: "a row owns what it holds, so use String or Vec<u8>",
            };
        }
        let Some(segment) = last_segment(ty) else {
            return Self::Any;
        };
        match segment.ident.to_string().as_str() {
            "bool" => Self::Flag,
            "u8" => Self::Unsigned { bits: 8 },
            "u16" => Self::Unsigned { bits: 16 },
            "u32" => Self::Unsigned { bits: 32 },
            "u64" | "usize" => Self::Unsigned { bits: 64 },
            "i32" => Self::Signed { bits: 32 },
            "i64" => Self::Signed { bits: 64 },
            "String" => Self::Text,
            "Vec" | "Box" if holds_bytes(segment) => Self::Text,
            "SessionId" => Self::Id(Kind::SessionId),
            "WindowId" => Self::Id(Kind::WindowId),
            "PaneId" => Self::Id(Kind::PaneId),
            "SystemTime" => Self::Time,
            "Version" => Self::Version,
            "i8" | "i16" | "isize" => Self::Nothing {
                instead: "use i32 or i64",
            },
            "u128" | "i128" => Self::Nothing {
                instead: "use u64 or i64",
            },
            "f32" | "f64" => Self::Nothing {
                instead: "tmux's numbers are whole, so use u32, i64 or their like",
            },
            "char" | "str" => Self::Nothing {
                instead: "use String or Vec<u8>",
            },
            "Instant" => Self::Nothing {
                instead: "tmux tells seconds since the epoch, so use SystemTime",
            },
            "PathBuf" | "OsString" | "Path" | "OsStr" => Self::Nothing {
                instead: "use Vec<u8>, which has every byte of a path",
            },
            _ => Self::Any,
        }
    }
}

/// Does what tmux prints for it hold nothing that needs quoting?
pub(crate) const fn is_plain(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::SessionId
            | Kind::WindowId
            | Kind::PaneId
            | Kind::Flag
            | Kind::Number
            | Kind::Signed
            | Kind::Time
    )
}

/// What a value looks like, for people.
pub(crate) const fn looks(kind: Kind) -> &'static str {
    match kind {
        Kind::SessionId => "a session's id, such as $0",
        Kind::WindowId => "a window's id, such as @0",
        Kind::PaneId => "a pane's id, such as %0",
        Kind::Flag => "a flag: 1, 0 or nothing",
        Kind::Number => "a number, not below zero",
        Kind::Signed => "a number that may be below zero",
        Kind::Time => "a time in seconds since the epoch",
        Kind::Layout => "a layout",
        Kind::Text => "text",
    }
}

/// What to use for it.
pub(crate) const fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::SessionId => "use SessionId",
        Kind::WindowId => "use WindowId",
        Kind::PaneId => "use PaneId",
        Kind::Flag => "use bool",
        Kind::Number => "use u32 or another whole number",
        Kind::Signed => "use i32 or i64",
        Kind::Time => "use SystemTime, or u64 for the seconds",
        Kind::Layout => "use Vec<u8>, for tmux_cc::wire::Layout::parse",
        Kind::Text => "use Vec<u8>, or String where it must be UTF-8",
    }
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        // What a macro has put around it.
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// The one type in a segment's angle brackets.
fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(ty)), 1) => Some(ty),
        _ => None,
    }
}

/// `Vec<u8>` or `Box<[u8]>`?
fn holds_bytes(segment: &PathSegment) -> bool {
    let is_u8 = |ty: &Type| last_segment(ty).is_some_and(|segment| segment.ident == "u8");
    match argument(segment) {
        Some(Type::Slice(slice)) => segment.ident == "Box" && is_u8(&slice.elem),
        Some(ty) => segment.ident == "Vec" && is_u8(ty),
        None => false,
    }
}
