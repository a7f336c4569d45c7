//! Servers that want to know who comes, and that are reached over TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use harness::{skip_if_asked, wait};
use serde_json::Value;

use super::server::Nats;
use crate::floor::{Floor, PATIENCE};
use crate::queue::Queue;

/// The seed of an nkey of a user, and what a server knows of it.
const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const KNOWN: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Makes an authority in that directory, and what it signs: of the server, and of one who comes.
fn certificates(dir: &Path) {
    let openssl = |words: &str| {
        let output = Command::new("openssl")
            .args(words.split(' '))
            .current_dir(dir)
            .output()
            .expect("openssl");
        assert!(output.status.success(), "{words}: {output:?}");
    };
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req -x509 {new} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"
    ));
    for (name, more) in [
        (
            "server",
            "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
        ),
        ("host", "extendedKeyUsage=clientAuth\n"),
    ] {
        fs::write(
            dir.join("more"),
            format!("basicConstraints=CA:FALSE\n{more}"),
        )
        .unwrap();
        openssl(&format!(
            "req {new} -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
             -extfile more -out {name}.pem"
        ));
    }
}

/// What `doctor` says of the server of that configuration, and its exit code.
fn looked(queue: &Queue, url: &str, nats: &str) -> (Value, Option<i32>) {
    let file = queue.path("balancer.toml");
    let text = format!("version = 1\nstore = \"{url}\"\n[nats]\n{nats}");
    fs::write(&file, text).unwrap();
    let output = queue.ask(&["doctor", "-c", file.to_str().unwrap(), "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (told["facts"]["nats"]["found"].clone(), output.status.code())
}

/// Passes when who has the password, the nkey or nothing is let in or not, and a secret that others can
/// read is not used.
#[test]
fn who_may_come_is_let_in_and_nobody_else() {
    skip_if_asked!();
    let queue = Queue::new();
    let by_name = Nats::told(|_| {
        "authorization { users = [{ user: host, password: \"two words\" }] }".to_owned()
    });
    let by_key = Nats::told(|_| format!("authorization {{ users = [{{ nkey: {KNOWN} }}] }}"));
    secret(&queue.path("right"), "host\ntwo words\n");
    secret(&queue.path("wrong"), "host\ntwo  words\n");
    secret(&queue.path("short"), "host");
    secret(&queue.path("seed"), SEED);
    let named = |field: &str, name: &str| format!("{field} = \"{}\"\n", queue.path(name).display());
    for (nats, login) in [
        (&by_name, named("password", "right")),
        (&by_key, named("nkey", "seed")),
    ] {
        let (found, exit) = looked(&queue, &nats.url(), &login);
        assert_eq!(found["there"]["facts"]["keeps"], true, "{found}");
        assert_eq!(exit, Some(0), "{found}");
    }
    let refused = "nats: authorization violation";
    for (nats, login) in [
        (&by_name, named("password", "wrong")),
        (&by_name, String::new()),
        (&by_key, named("password", "right")),
    ] {
        let (found, exit) = looked(&queue, &nats.url(), &login);
        assert_eq!(found["nobody"]["why"], refused, "{login}: {found}");
        assert_eq!(exit, Some(1), "{login}");
    }
    let (found, exit) = looked(&queue, &by_name.url(), &named("password", "short"));
    let why = found["refused"].as_str().unwrap();
    assert!(
        why.ends_with("needs two lines: a name, and a password") && exit == Some(1),
        "{why}"
    );
    fs::set_permissions(queue.path("seed"), fs::Permissions::from_mode(0o644)).unwrap();
    let (found, _) = looked(&queue, &by_key.url(), &named("nkey", "seed"));
    let why = found["refused"].as_str().unwrap();
    assert!(
        why.ends_with("is readable by others: chmod 600 it"),
        "{why}"
    );
}

/// Passes when a balancer whose server speaks TLS, and wants to see a certificate, carries a task through;
/// and when neither is trusted that nobody vouches for.
#[test]
fn a_task_is_carried_through_over_tls() {
    skip_if_asked!();
    let nats = Nats::told(|dir| {
        certificates(dir);
        let file = |name: &str| dir.join(name).display().to_string();
        format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}",
            file("server.pem"),
            file("server.key"),
            file("ca.pem")
        )
    });
    let url = format!("tls://127.0.0.1:{}", nats.port());
    let file =
        |field: &str, name: &str| format!("{field} = \"{}\"\n", nats.dir().join(name).display());
    let trust = file("ca", "ca.pem");
    let own = file("certificate", "host.pem") + &file("key", "host.key");
    let mut floor = Floor::new();
    // It may not come without its own, and does not trust whom nobody vouches for.
    for less in [&trust, &own] {
        let (found, exit) = looked(&floor.queue, &url, less);
        assert!(found["nobody"]["why"].is_string(), "{less}: {found}");
        assert_eq!(exit, Some(1), "{less}");
    }
    let (found, exit) = looked(&floor.queue, &url, &format!("{trust}{own}"));
    assert_eq!(found["there"]["facts"]["is_private"], true, "{found}");
    assert_eq!(exit, Some(0), "{found}");
    floor.hire("w1", &[]);
    let table = floor.table("w*", "claude", "");
    floor.configure(&format!("store = \"{url}\"\n[nats]\n{trust}{own}{table}"));
    floor.serve();
    let task = floor.queue.add(&["do: answer over tls"]);
    floor.until(&task, "done");
    // It is there too.
    let (found, _) = looked(&floor.queue, &url, &format!("{trust}{own}"));
    assert_eq!(found["there"]["facts"]["replicas"], 1, "{found}");
}

/// Passes when plain text does not leave this machine: what would do it is refused with a sentence, and goes
/// where `--insecure` says that it may.
#[test]
fn plain_text_leaves_this_machine_only_where_that_is_said() {
    let mut floor = Floor::new();
    // Nobody is there.
    let url = "nats://192.0.2.1:4222";
    floor.configure(&format!(
        "store = \"{url}\"\n{}",
        floor.table("w*", "claude", "")
    ));
    let config = floor.queue.path("balancer.toml");
    let config = config.to_str().unwrap();
    let said = "192.0.2.1 is on another machine and its address does not ask for TLS: say tls://, or \
                allow plain text with --insecure";
    for words in [&["serve", "-c", config][..], &["migrate", "--to", url]] {
        let output = floor.queue.ask(words);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(said), "{error}");
    }
    let (found, exit) = looked(&floor.queue, url, "");
    assert_eq!((found["refused"].as_str(), exit), (Some(said), Some(1)));
    floor.serve_with(&["--insecure"]);
    let id = floor.queue.add(&["later"]);
    wait::until(PATIENCE, "it to wait", || {
        floor.queue.state(&id) == "queued"
    });
}
