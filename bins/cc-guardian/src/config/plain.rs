//! Values as TOML has them: texts, numbers, lists, tables of names.

use toml::de::DeValue;

use super::mistake::{At, Mistakes, Place};
use super::reading::{self, Entry, Named, Node, Value};

impl<T: Value> Value for Vec<At<T>> {
    /// The elements that are right; a wrong one does not take the others with it.
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let DeValue::Array(elements) = node.value else {
            let right = match node.value {
                DeValue::Table(_) => "a list: [[..]] instead of [..]",
                _ => "a list: [ .. ]",
            };
            return node.wrong_type(mistakes, right);
        };
        let right = elements.iter().filter_map(|element| {
            let place = Place {
                offset: element.span().start,
                ..node.place
            };
            let node = Node {
                name: node.name,
                value: element.get_ref(),
                place,
            };
            At::read(node, mistakes)
        });
        let right: Self = right.collect();
        // Nothing right in it is not the same as nothing in it.
        (elements.is_empty() || !right.is_empty()).then_some(right)
    }
}

impl<T: Value> Value for Named<T> {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let DeValue::Table(table) = node.value else {
            return node.wrong_type(mistakes, "a table: NAME = ..");
        };
        let entries = table.iter().map(|(name, value)| {
            let key = Place {
                offset: name.span().start,
                ..node.place
            };
            let node = reading::node(name.get_ref(), key, value);
            let value = At::read(node, mistakes);
            (name.get_ref().to_string(), Entry { key, value })
        });
        Some(entries.collect())
    }
}

impl Value for String {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        match node.value {
            DeValue::String(text) => Some(text.to_string()),
            _ => node.wrong_type(mistakes, "a string: \"..\""),
        }
    }
}

impl Value for bool {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        match node.value {
            DeValue::Boolean(value) => Some(*value),
            _ => node.wrong_type(mistakes, "true or false"),
        }
    }
}

impl Value for i64 {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let DeValue::Integer(number) = node.value else {
            return node.wrong_type(mistakes, "a whole number");
        };
        let value = Self::from_str_radix(number.as_str(), number.radix());
        if value.is_err() {
            let what = format!("`{}` is too large a number", node.name);
            mistakes.add(node.place, what, "a smaller number");
        }
        value.ok()
    }
}

impl Value for f64 {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        let value = match node.value {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            _ => return node.wrong_type(mistakes, "a number"),
        };
        let value = value.filter(|value: &Self| value.is_finite());
        if value.is_none() {
            let what = format!("`{}` is not finite", node.name);
            mistakes.add(node.place, what, "a number");
        }
        value
    }
}
