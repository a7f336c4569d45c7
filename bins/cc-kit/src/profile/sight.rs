//! What is looked at.

use std::fmt;

/// One look at a pane. All text in it is hostile.
#[derive(Debug, Clone)]
pub struct Sight<'a> {
    /// What it shows; `None` where nobody looked. Without it little can be known.
    pub screen: Option<&'a Screen>,
    /// `pane_title`.
    pub title: &'a str,
    /// The host's name, which is the title until a program sets one.
    pub host: &'a str,
    /// `pane_current_command`. Empty where process facts have shown already that the program is the
    /// one in front, as with a wrapper of another name.
    pub command: &'a str,
    /// What the program said of itself in its output, if somebody listens.
    pub in_band: Option<InBand>,
}

impl Sight<'_> {
    /// The title without the blanks that some programs pad it with; empty where none has been set.
    pub(super) fn own_title(&self) -> &str {
        let title = self.title.trim();
        if title == self.host.trim() { "" } else { title }
    }
}

/// What a pane shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    /// The rows from the top, as `capture-pane -p` prints them; blank ones at the end may be missing.
    pub rows: Vec<String>,
    /// The pane's width in columns.
    pub width: u16,
    /// `cursor_x` and `cursor_y`, from 0.
    pub cursor: Option<(u16, u16)>,
    /// `cursor_flag`.
    pub cursor_visible: Option<bool>,
    /// `alternate_on`.
    pub alternate: bool,
}

impl Screen {
    /// A screen of which only the text is known; it is as wide as its longest row.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let rows: Vec<String> = text.lines().map(str::to_owned).collect();
        let width = rows.iter().map(|row| row.chars().count()).max();
        Self {
            width: width.and_then(|w| u16::try_from(w).ok()).unwrap_or(0),
            rows,
            ..Self::default()
        }
    }
}

/// What a program said of itself in its output: OSC 7501 (status) and OSC 9;4 (progress).
///
/// A level and not an edge: the last of each that was said. Programs repeat themselves. Any program
/// that writes to the pane can say it, so it is worth as much as a title, not more than a process fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InBand {
    /// `state=` of OSC 7501: `working`, `idle`, `done`, `error`, `blocked`; `None` after `clear`.
    pub state: Option<String>,
    /// `app=`.
    pub app: Option<String>,
    /// `kind=`.
    pub kind: Option<String>,
    /// The first number of OSC 9;4: 0 none, 1 to 4 of some sort.
    pub progress: Option<u8>,
}

impl InBand {
    /// Takes in the body of an OSC, without its introducer and terminator, such as
    /// `7501;state=working:app=codex` or `9;4;3;`. Says whether it was one of these.
    pub fn take(&mut self, body: &str) -> bool {
        if let Some(progress) = body.strip_prefix("9;4;") {
            let Some(Ok(number)) = progress.split(';').next().map(str::parse) else {
                return false;
            };
            self.progress = Some(number);
            return true;
        }
        let Some(status) = body.strip_prefix("7501;") else {
            return false;
        };
        let mut said = Self::default();
        for pair in status.split(':') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            if !is_word(value) {
                return false;
            }
            let place = match key {
                "state" => &mut said.state,
                "app" => &mut said.app,
                "kind" => &mut said.kind,
                _ => continue,
            };
            *place = Some(value.to_owned());
        }
        if said.state.is_none() {
            return false;
        }
        if said.state.as_deref() == Some("clear") {
            said = Self::default();
        }
        said.progress = self.progress;
        *self = said;
        true
    }
}

/// The form that rules match: `state=blocked:app=codex:kind=permission:progress=3`, each part only
/// where it is known.
impl fmt::Display for InBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (key, value) in [
            ("state", &self.state),
            ("app", &self.app),
            ("kind", &self.kind),
        ] {
            if let Some(value) = value {
                write!(f, "{between}{key}={value}")?;
                between = ":";
            }
        }
        if let Some(progress) = self.progress {
            write!(f, "{between}progress={progress}")?;
        }
        Ok(())
    }
}

/// What a value of the status may be, so that none can look like two.
fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
