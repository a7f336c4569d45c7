//! The JSON Schema of a file, so that editors complete it.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::written::File;

/// The JSON Schema of a configuration file (draft 2020-12). What needs comparing, such as a
/// reference to another unit, is not in it.
#[must_use]
pub fn schema() -> Value {
    // A size in bits says nothing to an editor, and strict ones complain.
    let no_format = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("format");
    });
    let settings = SchemaSettings::draft2020_12().with_transform(no_format);
    SchemaGenerator::new(settings)
        .into_root_schema_for::<File>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(schema: &Value, section: &str) -> Vec<String> {
        let properties = schema.pointer(&format!("/$defs/{section}/properties"));
        let properties = properties.and_then(Value::as_object).unwrap();
        properties.keys().cloned().collect()
    }

    #[test]
    fn a_unit_completes_and_defaults_leave_out_what_is_its_own() {
        let schema = schema();
        let unit = properties(&schema, "Unit");
        let defaults = properties(&schema, "Defaults");
        assert!(unit.contains(&"hang_after".to_owned()));
        let alone: Vec<_> = unit
            .iter()
            .filter(|name| !defaults.contains(name))
            .collect();
        assert_eq!(alone, ["command", "depends_on", "shell", "windows"]);
        assert!(defaults.iter().all(|name| unit.contains(name)));
    }

    #[test]
    fn what_has_to_be_said_is_required_and_nothing_else_is_allowed() {
        let schema = schema();
        for (section, required) in [
            ("", serde_json::json!(["version"])),
            ("/$defs/Unit", serde_json::json!(["command"])),
            ("/$defs/Defaults", Value::Null),
            ("/$defs/Alert", serde_json::json!(["type"])),
            ("/$defs/PromptRule", serde_json::json!(["kind", "action"])),
        ] {
            let at = |key| schema.pointer(&format!("{section}/{key}"));
            assert_eq!(
                *at("required").unwrap_or(&Value::Null),
                required,
                "{section}"
            );
            assert_eq!(at("additionalProperties"), Some(&false.into()), "{section}");
        }
    }

    #[test]
    fn choices_are_offered_with_what_they_mean() {
        let schema = schema();
        let restart = schema
            .pointer("/$defs/Restart/oneOf")
            .and_then(Value::as_array);
        let words: Vec<_> = restart
            .into_iter()
            .flatten()
            .filter_map(|choice| choice.get("const").and_then(Value::as_str))
            .collect();
        let expected = [
            "no",
            "on-failure",
            "on-abnormal",
            "always",
            "unless-stopped",
        ];
        assert_eq!(words, expected);
    }
}
