//! What a file may say, as it is written: nothing is filled in, nothing is compared.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value as Json;
use toml::de::DeValue;

use super::Isolation;
use super::alert::{AlertType, Event, Quiet, Rate};
use super::cpus::Cpus;
use super::mistake::{At, Mistakes, Place};
use super::reading::{Named, Node, Section, Value, sections};
use super::signal::Signal;
use super::unit::{
    ExitStatus, LimitAction, MemoryScope, PromptAction, PromptKind, Ready, Restart, RestartAt,
    Resume, StopMethod,
};
use super::values::{Command, Dependency, Name, OneOrMore, PathText, Size, SpanOrNever, SpanText};

sections! {
    /// Units that cc-guardian keeps alive, and how.
    #[schemars(extend("required" = ["version"]))]
    File "a table of tables" {
        /// The version of this format. Required; 1 is the only one.
        #[schemars(range(min = 1, max = 1))]
        version: i64,
        /// The tmux side.
        server: Server,
        /// What units do not say themselves.
        defaults: Defaults,
        /// Units by name.
        unit: Named<Unit>,
        /// Alerts by name.
        alert: Named<Alert>,
        /// Accounts by name.
        account: Named<Account>,
    }

    /// The tmux side.
    Server "a table: [server]" {
        /// How many tmux servers: one in all, one for each group, one for each unit. "group" unless said.
        isolation: Isolation,
        /// Lines of history of each pane, 0 to 1000000; 5000 unless said. Full output belongs in the log.
        #[schemars(range(min = 0, max = 1_000_000))]
        history_limit: i64,
        /// The tmux program; "tmux" unless said.
        tmux: PathText,
    }

    /// A program in a terminal, and how it is kept alive.
    #[schemars(extend("required" = ["command"]))]
    Unit "a table: [unit.NAME]" {
        /// The program and its arguments; with shell = true one text for /bin/sh. Required.
        command: Command,
        /// Is the command a text for /bin/sh?
        shell: bool,
        /// The group; "default" unless said.
        group: Name,
        /// Where it starts; the home unless said. A relative one begins at the folder of this file.
        cwd: PathText,
        /// Variables, taken literally: ${VAR} stays as it is. Secrets belong in env_file.
        env: Named<String>,
        /// Files of NAME=VALUE lines, owned by the user and readable by nobody else (mode 0600).
        env_file: OneOrMore<PathText>,
        /// How many run, 1 to 999; 1 unless said.
        #[schemars(range(min = 1, max = 999))]
        replicas: i64,
        /// What to select it by.
        labels: Named<String>,
        /// How its screen is read; the profile with the name of the program unless said.
        profile: String,
        /// The account whose limits it shares.
        account: String,
        /// Units that must be ready before it starts.
        depends_on: Vec<At<Dependency>>,
        /// When it is started again; "on-abnormal" unless said.
        restart: Restart,
        /// How long to wait before.
        backoff: Backoff,
        /// When to give up.
        start_limit: StartLimit,
        /// Exit statuses and signals that are no failure, besides 0.
        success_exit_status: Vec<At<ExitStatus>>,
        /// How it is stopped.
        stop: Stop,
        /// How long it may be busy without progress; "20m" unless said.
        hang_after: SpanOrNever,
        /// The same while it waits for a tool of its own; "60m" unless said.
        tool_hang_after: SpanOrNever,
        /// How long it may take to be ready; "60s" unless said.
        startup_timeout: SpanText,
        /// What a restarted one goes on with; "no" unless said.
        resume: Resume,
        /// What memory it may use.
        memory: Memory,
        /// Its niceness, -20 to 19.
        #[schemars(range(min = -20, max = 19))]
        nice: i64,
        /// The processors it may run on.
        cpus: Cpus,
        /// When to start it afresh though nothing is wrong.
        restart_every: RestartEvery,
        /// What to do when it asks; an alert unless said.
        on_prompt: Vec<At<PromptRule>>,
        /// More windows of its session.
        windows: Vec<At<Window>>,
        /// The time between the starts of two instances; "1s" unless said.
        start_stagger: SpanText,
        /// Alerts to send when it fails, by name.
        on_failure: Vec<At<String>>,
    }

    /// How long to wait before a start.
    Backoff "a table such as { initial = \"2s\", max = \"5m\" }" {
        /// Before the first; "2s" unless said.
        initial: SpanText,
        /// What each is longer by, at least 1; 2 unless said.
        #[schemars(range(min = 1))]
        factor: f64,
        /// The longest; "5m" unless said.
        max: SpanText,
        /// The part of each that chance decides, 0 to 1; 0.2 unless said.
        #[schemars(range(min = 0, max = 1))]
        jitter: f64,
        /// Having run this long it begins at initial again; "10m" unless said.
        reset_after: SpanText,
    }

    /// How many failures are too many.
    StartLimit "a table such as { burst = 5, interval = \"10m\" }" {
        /// So many starts, at least 1; 5 unless said.
        #[schemars(range(min = 1, max = 10_000))]
        burst: i64,
        /// Within this time; "10m" unless said.
        interval: SpanText,
        /// What is done then; "hold" unless said.
        action: LimitAction,
    }

    /// How a unit is stopped; what is still there after the timeout is killed.
    Stop "a table such as { method = \"profile\", timeout = \"20s\" }" {
        /// What is tried first; "profile" unless said.
        method: StopMethod,
        /// How long that may take; "20s" unless said.
        timeout: SpanText,
        /// The signal of method = "signal"; "TERM" unless said.
        signal: Signal,
        /// The keys of method = "keys", as tmux names them.
        keys: OneOrMore<String>,
    }

    /// What memory a unit may use.
    Memory "a table such as { soft = \"3G\", hard = \"6G\" }" {
        /// Above it: an alert, and a restart when it is idle.
        soft: Size,
        /// Above it: killed.
        hard: Size,
        /// What is counted; "tree" unless said.
        scope: MemoryScope,
    }

    /// When to start afresh what runs well.
    RestartEvery "a table such as { age = \"24h\", at = \"idle\" }" {
        /// Having run this long. Required, here or in the defaults.
        age: SpanText,
        /// At what moment; "idle" unless said.
        at: RestartAt,
    }

    /// What to do when a unit asks.
    #[schemars(extend("required" = ["kind", "action"]))]
    PromptRule "a table such as { kind = \"trust\", action = \"alert\" }" {
        /// What it asks. Required.
        kind: PromptKind,
        /// What is done. Required.
        action: PromptAction,
        /// The commands that may be accepted, as globs; with kind = "permission".
        allow: Vec<At<String>>,
        /// How often it may be answered within an hour, at least 1; 10 unless said.
        #[schemars(range(min = 1, max = 10_000))]
        per_hour: i64,
    }

    /// One more window.
    #[schemars(extend("required" = ["name"]))]
    Window "a table such as { name = \"shell\" }" {
        /// Its name. Required.
        name: Name,
        /// The program and its arguments; the shell of the user unless said.
        command: Command,
        /// Is the command a text for /bin/sh?
        shell: bool,
        /// Where it starts; where the unit does unless said.
        cwd: PathText,
    }

    /// A way to tell someone.
    #[schemars(extend("required" = ["type"]))]
    Alert "a table: [alert.NAME]" {
        /// By what means. Required.
        r#type: AlertType,
        /// With type = "exec": the program and its arguments.
        command: Command,
        /// With type = "webhook": where to post. It is a secret: url_env keeps it out of this file.
        url: String,
        /// With type = "webhook": the variable of the guardian's environment that has the URL.
        url_env: String,
        /// What is told; "blocked>2m" is told when it has lasted two minutes.
        events: Vec<At<Event>>,
        /// The same of the same unit is not said again for this long; "10m" unless said.
        dedupe: SpanText,
        /// How many are sent at most, such as "10/h".
        rate: Rate,
        /// When nothing is sent, such as "22:00-07:00".
        quiet: Quiet,
    }

    /// Something whose limits units share.
    Account "a table: [account.NAME]" {
        /// How many of its units may be busy at once, at least 1.
        #[schemars(range(min = 1, max = 999))]
        max_parallel: i64,
        /// How long after its limit ends the first of its units goes on; "60s" unless said.
        after_reset: SpanText,
    }

    /// A unit that must be ready first, with what counts as ready.
    #[schemars(extend("required" = ["unit"]))]
    DependencyTable "a table such as { unit = \"UNIT\", ready = \"idle\" }" {
        /// Its name. Required.
        unit: String,
        /// What counts as ready; "idle" unless said, or "running" where it has no profile.
        ready: Ready,
    }
}

/// Where a field belongs that stands where it is not known.
fn elsewhere(field: &str) -> Option<&'static str> {
    let homes = [
        (File::FIELDS, "the file itself, above all tables"),
        (Server::FIELDS, "[server]"),
        (UNIT_ALONE, "[unit.NAME]"),
        (Unit::FIELDS, "[defaults] or [unit.NAME]"),
        (Backoff::FIELDS, "`backoff`"),
        (StartLimit::FIELDS, "`start_limit`"),
        (Stop::FIELDS, "`stop`"),
        (Memory::FIELDS, "`memory`"),
        (RestartEvery::FIELDS, "`restart_every`"),
        (Alert::FIELDS, "[alert.NAME]"),
        (Account::FIELDS, "[account.NAME]"),
    ];
    homes
        .iter()
        .find(|(fields, _)| fields.contains(&field))
        .map(|&(_, home)| home)
}

/// The fields of a unit that cannot be a default.
const UNIT_ALONE: &[&str] = &["command", "shell", "depends_on", "windows"];

/// What units do not say themselves: fields of a unit, but not all.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Defaults(pub(super) Unit);

impl Value for Defaults {
    fn read(node: Node<'_>, mistakes: &mut Mistakes) -> Option<Self> {
        if let DeValue::Table(table) = node.value {
            for key in table.keys() {
                let name = key.get_ref().as_ref();
                if UNIT_ALONE.contains(&name) {
                    let offset = key.span().start;
                    let place = Place {
                        offset,
                        ..node.place
                    };
                    mistakes.add(
                        place,
                        format!("`{name}` cannot be a default"),
                        "it belongs in [unit.NAME]",
                    );
                }
            }
        }
        Unit::read(node, mistakes).map(Self)
    }
}

impl JsonSchema for Defaults {
    fn schema_name() -> Cow<'static, str> {
        "Defaults".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Unit::json_schema(generator);
        schema.insert(
            "description".into(),
            "What units do not say themselves.".into(),
        );
        schema.remove("required");
        if let Some(Json::Object(properties)) = schema.get_mut("properties") {
            properties.retain(|name, _| !UNIT_ALONE.contains(&name.as_str()));
        }
        schema
    }
}
