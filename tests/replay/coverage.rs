//! The transcripts hold everything that their tmux can say, and the library knows all of it.

use std::collections::BTreeSet;
use std::path::Path;

use syn::{Item, ItemEnum};
use tmux_cc::protocol::Event;
use tmux_cc::wire::{Layout, Notification, Version};

use crate::played::play;
use crate::{recordings, versions};

/// Every variant of [`Notification`] but `Unknown`, and the first version whose transcripts must
/// hold it. What no transcript can hold to the letter is left to the fuzzers.
const SINCE: [(&str, Version); 25] = [
    ("Output", Version::FLOOR),
    ("ExtendedOutput", Version::FLOOR),
    ("Pause", Version::FLOOR),
    ("Continue", Version::FLOOR),
    ("Exit", Version::FLOOR),
    ("LayoutChange", Version::FLOOR),
    ("WindowAdd", Version::FLOOR),
    ("UnlinkedWindowAdd", Version::FLOOR),
    ("WindowClose", Version::FLOOR),
    ("UnlinkedWindowClose", Version::FLOOR),
    ("WindowRenamed", Version::FLOOR),
    ("UnlinkedWindowRenamed", Version::FLOOR),
    ("WindowPaneChanged", Version::FLOOR),
    ("SessionWindowChanged", Version::FLOOR),
    ("SessionChanged", Version::FLOOR),
    ("ClientSessionChanged", Version::FLOOR),
    ("ClientDetached", Version::FLOOR),
    ("SessionRenamed", Version::FLOOR),
    ("SessionsChanged", Version::FLOOR),
    ("PaneModeChanged", Version::FLOOR),
    ("SubscriptionChanged", Version::FLOOR),
    ("PasteBufferChanged", Version::new(3, 4)),
    ("PasteBufferDeleted", Version::new(3, 4)),
    ("ConfigError", Version::new(3, 4)),
    ("Message", Version::new(3, 4)),
];

/// The name of a variant.
fn variant(notification: &Notification<'_>) -> String {
    let text = format!("{notification:?}");
    let end = text.find(' ').unwrap_or(text.len());
    text[..end].to_owned()
}

/// The notifications of every transcript of a version.
fn notifications(version: &str, mut see: impl FnMut(&str, &Notification<'_>)) {
    for (_, transcript) in recordings().filter(|(of, _)| of == version) {
        play(&transcript, version, |event| {
            if let Event::Notification(notification) = event {
                see(&transcript.name, notification);
            }
        });
    }
}

#[test]
fn the_table_is_the_enum() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tmux-cc/src/wire/notification.rs");
    let source = std::fs::read_to_string(source).expect("the library's source");
    let file = syn::parse_file(&source).expect("the library's source");
    let notification = file.items.into_iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == "Notification" => Some(item),
        _ => None,
    });
    let ItemEnum { variants, .. } = notification.expect("the enum is there");
    let variants: BTreeSet<String> = variants.iter().map(|v| v.ident.to_string()).collect();
    let table = SINCE.iter().map(|(name, _)| (*name).to_owned());
    let table: BTreeSet<String> = table.chain(["Unknown".to_owned()]).collect();
    assert_eq!(variants, table);
}

#[test]
fn every_version_has_said_all_that_it_can() {
    for version in versions() {
        let number = Version::parse(version.as_bytes()).expect("a directory is a version");
        let mut said = BTreeSet::new();
        notifications(&version, |_, notification| {
            said.insert(variant(notification));
        });
        let able = SINCE.iter().filter(|(_, since)| number.at_least(*since));
        let able: BTreeSet<String> = able.map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(said, able, "tmux {version}");
    }
}

#[test]
fn every_layout_is_understood() {
    for version in versions() {
        let mut layouts = 0;
        notifications(&version, |name, notification| {
            let Notification::LayoutChange {
                layout, visible, ..
            } = notification
            else {
                return;
            };
            for bytes in [layout, visible] {
                // Of clients that ask for `new-layouts`, which is ours never.
                if bytes.starts_with(b"{") {
                    continue;
                }
                let parsed = Layout::parse(bytes);
                let parsed = parsed.unwrap_or_else(|error| {
                    panic!("{version} {name}: {error}: {}", bytes.escape_ascii())
                });
                // Panes that float have no room of their own among the tiled ones.
                let tiled = parsed.is_tiled() || name.ends_with("_floating");
                assert!(tiled && parsed.panes().count() > 0, "{version} {name}");
                layouts += 1;
            }
        });
        assert!(layouts > 40, "{version}: {layouts} layouts");
    }
}

/// See `Transcript::hide`.
#[test]
fn transcripts_hold_nothing_of_a_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut files = 0;
    for entry in walkdir::WalkDir::new(root).min_depth(2) {
        let path = entry.expect("the transcripts can be listed").into_path();
        let bytes = std::fs::read(&path).expect("a transcript can be read");
        let text = String::from_utf8_lossy(&bytes);
        for sign in ["/tmp", "/home", "/root", "/var", "/work", "/Users"] {
            assert!(!text.contains(sign), "{path:?}: {sign}");
        }
        files += 1;
    }
    assert!(files > 0);
}
