//! Every path that a source file names, resolved as far as its text tells.
//!
//! `use` trees are taken apart, `self`, `super` and `crate` are resolved against the module, and
//! the tokens inside macros are read as well, which no visitor of syntax does. What is compiled
//! for tests only is left out: tests may reach wherever they like.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Meta, UseTree, Visibility};

/// One path, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Its segments. `crate` is first where the path is one of this crate; a `*` is last where
    /// everything in a module is imported.
    pub(crate) segments: Vec<String>,
    /// Whether it is imported, which makes everything under it reachable by a shorter name.
    pub(crate) imported: bool,
    pub(crate) line: usize,
}

/// What a file names, and which of its modules are for tests only.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) paths: Vec<Named>,
    /// Modules in files of their own, declared under `#[cfg(test)]`.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// Lines with `#[path = ...]` or `include!`, which put code where its name does not say.
    pub(crate) smuggled: Vec<usize>,
}

/// Reads a source file that is the given module of its crate (no segments: the root).
///
/// `own_name` is what the crate is called from outside; it counts as `crate`.
pub(crate) fn names(source: &str, module: &[String], own_name: &str) -> syn::Result<Names> {
    let file = syn::parse_file(source)?;
    let mut reader = Reader {
        module: module.to_vec(),
        own_name: own_name.to_owned(),
        names: Names::default(),
    };
    if !file.attrs.iter().any(is_test) {
        reader.visit_file(&file);
    }
    Ok(reader.names)
}

struct Reader {
    module: Vec<String>,
    own_name: String,
    names: Names,
}

impl Reader {
    fn name(&mut self, segments: Vec<String>, imported: bool, span: Span) {
        let segments = self.resolve(segments);
        self.names.paths.push(Named {
            segments,
            imported,
            line: span.start().line,
        });
    }

    /// `super::x` and `self::x` as `crate::...::x`; anything else as it is.
    fn resolve(&self, segments: Vec<String>) -> Vec<String> {
        let mut rest = segments.as_slice();
        let mut here = None;
        while let Some((first, tail)) = rest.split_first() {
            let module = here.get_or_insert_with(|| self.module.clone());
            match first.as_str() {
                "self" => {}
                "super" => drop(module.pop()),
                first if first == "crate" || first == self.own_name => module.clear(),
                _ if rest.len() == segments.len() => return segments,
                _ => break,
            }
            rest = tail;
        }
        let module = here.unwrap_or_default();
        std::iter::once("crate".to_owned())
            .chain(module)
            .chain(rest.iter().cloned())
            .collect()
    }

    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before);
                }
            }
            UseTree::Glob(glob) => {
                let segments = [before, &["*".to_owned()]].concat();
                self.name(segments, true, glob.star_token.spans[0]);
            }
            UseTree::Name(name) => self.leaf(before, &name.ident),
            UseTree::Rename(rename) => self.leaf(before, &rename.ident),
        }
    }

    fn leaf(&mut self, before: &[String], ident: &syn::Ident) {
        // `a::{self}` imports `a`.
        let last = if ident == "self" && !before.is_empty() {
            None
        } else {
            Some(ident.to_string())
        };
        let segments = before.iter().cloned().chain(last).collect();
        self.name(segments, true, ident.span());
    }

    /// Paths of two segments or more in tokens that nobody has parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut span = Span::call_site();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_of_path(&mut path, span);
                        span = ident.span();
                    }
                    path.push(ident.to_string());
                }
                TokenTree::Group(group) => {
                    // `a::{b, c}`: the group's paths begin with what stands before it.
                    if colons == 2 && !path.is_empty() {
                        self.group(&path, group.stream());
                    }
                    self.end_of_path(&mut path, span);
                    self.tokens(group.stream());
                }
                _ => self.end_of_path(&mut path, span),
            }
            colons = 0;
        }
        self.end_of_path(&mut path, span);
    }

    fn group(&mut self, before: &[String], tokens: TokenStream) {
        for token in tokens {
            if let TokenTree::Ident(ident) = token {
                self.name([before, &[ident.to_string()]].concat(), true, ident.span());
            }
        }
    }

    fn end_of_path(&mut self, path: &mut Vec<String>, span: Span) {
        if path.len() > 1 {
            self.name(std::mem::take(path), false, span);
        }
        path.clear();
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_test) {
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item
            && module.content.is_none()
        {
            let path = [self.module.as_slice(), &[module.ident.to_string()]].concat();
            self.names.test_modules.push(path);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !function.attrs.iter().any(is_test) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, &[]);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if item.ident != "self" {
            self.name(vec![item.ident.to_string()], true, item.ident.span());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        let span = path
            .segments
            .first()
            .map_or_else(Span::call_site, |part| part.ident.span());
        // A lone `self` or `Self` or `x` is no path that leads anywhere, but a name it is.
        if segments != ["self"] {
            self.name(segments, false, span);
        }
        visit::visit_path(self, path);
    }

    /// `pub(crate)` and `pub(in path)` open doors, they do not walk through.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if mac
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "include")
        {
            let line = mac.path.segments[0].ident.span().start().line;
            self.names.smuggled.push(line);
        }
        visit::visit_macro(self, mac);
        self.tokens(mac.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("path") {
            self.names
                .smuggled
                .push(attribute.pound_token.spans[0].start().line);
        }
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        // Others are not written under `#[cfg(test)]`; if one is, it is read, which is the safe side.
        _ => &[],
    }
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, ...))]`: never compiled into what ships.
fn is_test(attribute: &Attribute) -> bool {
    fn needs_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => {
                let parser = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
                list.parse_args_with(parser)
                    .is_ok_and(|all| all.iter().any(needs_test))
            }
            _ => false,
        }
    }
    attribute.path().is_ident("test")
        || attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<Meta>()
                .is_ok_and(|meta| needs_test(&meta))
}
