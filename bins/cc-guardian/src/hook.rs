//! `hook`: what agents say of themselves, handed to the guardian that started them.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use cc_kit::control;
use cc_kit::exit::{Exit, Failure};
use serde_json::Value;

use crate::ask::checked;
use crate::cli;
use crate::request::Request;

/// Hands what an agent says of itself to the guardian that started it. It never disturbs the agent: a
/// guardian that does not answer is no mistake of the agent's.
pub(crate) fn hook(hook: &cli::Hook) -> Result<(), Failure> {
    let variable = |name: &str| env::var(name).ok();
    let (Some(socket), Some(unit), Some(token)) = (
        variable("CC_GUARDIAN"),
        variable("CC_UNIT"),
        variable("CC_HOOK_TOKEN"),
    ) else {
        // The same settings are used outside a guardian, and a hook that fails would stop the agent.
        tracing::debug!("not started by a guardian: nobody is to be told");
        return Ok(());
    };
    let mut input = Vec::new();
    match &hook.input {
        Some(text) => input.extend_from_slice(text.as_bytes()),
        None => {
            let most = u64::try_from(cc_kit::hook::LIMIT).unwrap_or(u64::MAX);
            io::stdin()
                .take(most)
                .read_to_end(&mut input)
                .map_err(|error| Failure::new(Exit::Failed, error))?;
        }
    }
    // Not as wrong use: to an agent that status of a hook says that it must not go on.
    let input: Value = serde_json::from_slice(&input)
        .map_err(|error| Failure::new(Exit::Failed, error).advice("A hook's input is JSON."))?;
    let request = Request::Hook { unit, token, input };
    let told = || -> io::Result<Value> {
        let stream = control::connect(Path::new(&socket))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        (&stream).write_all(&line)?;
        let mut answer = String::new();
        BufReader::new(&stream).read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    match told() {
        Ok(mut answer) => {
            let usage = Value::from(Exit::Usage.code());
            if let Some(exit) = answer.get_mut("exit").filter(|exit| **exit == usage) {
                *exit = Exit::Failed.code().into();
            }
            checked(answer).map(|_| ())
        }
        Err(error) => {
            tracing::debug!(%error, "the guardian was not told");
            Ok(())
        }
    }
}
