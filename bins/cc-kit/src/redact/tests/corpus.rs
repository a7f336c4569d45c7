//! Secrets and look-alikes as they stand in terminals. All made up; `~` is nothing, so that no
//! prefix stands here whole.

use super::samples::{SAMPLES, Seed, sample};
use super::{gone, redact};

/// Lines around a sample of a rule: what stands before it, and after it.
const FRAMES: [(&str, &str); 6] = [
    ("$ cat notes.txt\r\n", "\r\n$ "),
    ("\x1b[32m+\x1b[0m \x1b[1m", "\x1b[0m\r\n"),
    ("2026-11-26T12:00:01Z DEBUG app: ", " (retry 1)\r\n"),
    ("  \x1b]0;run\x07", "\n"),
    ("[1/3] ", "\r\nDone in 1.2s\r\n"),
    ("> ", "\r\n"),
];

/// Before, secret, after: written as people and programs write them.
const WILD: &[(&str, &str, &str)] = &[
    ("export GITHUB_TOK~EN=", "gh~p_[A-Za-z0-9]{36}", ""),
    (
        "remote: https://x-access-token:",
        "gh~s_[A-Za-z0-9]{36}",
        "@github.com/a/b.git",
    ),
    (
        "origin\thttps:/~/bot:",
        "[A-Za-z0-9]{20}",
        "@git.a.io/x.git (fetch)",
    ),
    (
        "curl -H \"Authori~zation: Bearer ",
        "[A-Za-z0-9_-]{43}",
        "\" https://a.io",
    ),
    (
        "curl -H 'Authori~zation: token ",
        "[a-f0-9]{40}",
        "' https://a.io",
    ),
    (
        "{\"user\":\"a\",\"pass~word\":\"",
        "[A-Za-z0-9]{10}",
        "\",\"x\":1}",
    ),
    ("  pass~word: ", "[A-Za-z]{5}[0-9]{3}[A-Za-z]{4}", ""),
    ("spring.datasource.pass~word=", "[A-Za-z]{5}[0-9]{3}!", ""),
    ("'pass~word': '", "[A-Za-z0-9]{12}", "',"),
    (
        "mongodb+srv:/~/root:",
        "[A-Za-z0-9]{16}",
        "@cluster0.a.mongodb.net/db",
    ),
    (
        "REDIS_URL=redis:/~/:",
        "[A-Za-z0-9]{24}",
        "@10.0.0.3:6379/0",
    ),
    ("amqp:/~/svc:", "[A-Za-z0-9]{18}", "@rabbit:5672"),
    (
        "mysql+pymysql:/~/app:",
        "[A-Za-z0-9]{12}",
        "@db/app?charset=utf8",
    ),
    (
        "docker run -e POSTGRES_PASS~WORD=",
        "[A-Za-z0-9]{12}",
        " postgres:16",
    ),
    ("AWS_SEC~RET_ACCESS_KEY=", "[A-Za-z0-9/+]{40}", ""),
    ("SecretAccess~Key\": \"", "[A-Za-z0-9/+]{40}", "\","),
    ("client_sec~ret = \"", "[A-Za-z0-9_-]{32}", "\""),
    ("api_~key: ", "[a-f0-9]{32}", ""),
    ("X-API-~Key: ", "[A-Za-z0-9]{32}", ""),
    ("const api~Key = '", "[A-Za-z0-9]{30}", "';"),
    ("access_tok~en=", "[A-Za-z0-9]{40}", "&x=1"),
    ("?tok~en=", "[A-Za-z0-9]{32}", " HTTP/1.1"),
    ("SESSION_SEC~RET=", "[a-f0-9]{64}", ""),
    ("JWT_SEC~RET: \"", "[A-Za-z0-9]{48}", "\""),
    ("DJANGO_SEC~RET_KEY='", "[a-z0-9!_+-]{50}", "'"),
    ("Coo~kie: session=", "[A-Za-z0-9]{32}", ""),
    ("pgpass~word=", "[A-Za-z]{6}[0-9]{4}", ""),
    ("--pass~word=", "[A-Za-z]{6}[0-9]{4}", " --host db"),
    (
        "sshpass -p x; echo ROOT_PASS~WORD=",
        "[A-Za-z]{6}[0-9]{4}",
        "",
    ),
    ("encryption_~key = ", "[a-f0-9]{64}", ""),
    (
        "ident: {\"id_tok~en\":\"",
        "ey~J[A-Za-z0-9]{40}.ey~J[A-Za-z0-9]{90}.[A-Za-z0-9_-]{86}",
        "\"}",
    ),
    (
        "proxy_pass~word \"",
        "[A-Za-z0-9]{6}\x1b[0m[A-Za-z0-9]{6}",
        "\"",
    ),
];

/// Look-alikes that are made, and how many of each.
const ALIKE: &[&str] = &[
    "commit [0-9a-f]{40}",
    "[0-9a-f]{7} (HEAD -> main) rotate the tok~en of the runner",
    "index [0-9a-f]{7}..[0-9a-f]{7} 100644",
    "[0-9a-f]{64}  dist/app.tar.gz",
    "sha256:[0-9a-f]{64}: Pulling from library/postgres",
    "      \"integrity\": \"sha512-[A-Za-z0-9+/]{86}==\",",
    "checksum = \"[0-9a-f]{64}\"",
    "id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}",
    "request_id=[0-9a-f]{32} status=200",
    "data:image/png;base64,iVBORw0KGgo[A-Za-z0-9+/]{120}",
    "pod/web-[0-9a-f]{9}-[a-z0-9]{5}   1/1   Running",
    "default-tok~en-[a-z0-9]{5}   kubernetes.io/service-account-tok~en   3",
    "secr~et/db-credentials-[a-z0-9]{10} created",
    "!function(e,t){var n=[a-z]{4};e.[a-z]{3}=function(r){return t(r,\"[a-z]{6}\")}}(this,[a-z]{5});",
    "https://a.io:8443/p/[0-9a-f]{16}?v=[0-9]{4}@x",
    "ETag: \"[0-9a-f]{32}-[0-9]{2}\"",
    "SHA256:[A-Za-z0-9+/]{43} user@host (ED25519)",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA[A-Za-z0-9+/]{44} user@host",
    "/nix/store/[a-z0-9]{32}-openssl-3.0.14/lib",
    "Compiling tok~en-bucket v0.[0-9]{1}.[0-9]{1} (/home/u/disk-[a-z]{8}-[a-z0-9]{20})",
];

/// Look-alikes that stand for themselves.
const PROSE: &str = r#"Pass~word:
[sudo] pass~word for joe:
Enter passphrase for key '/home/joe/.ssh/id_ed25519':
joe@host's pass~word:
Pass~word: ********
pass~word: <your password here>
pass~word: ${DB_PASSWORD}
pass~word=$DB_PASSWORD
PASS~WORD=changeme
pass~word = "changeme"
pass~word: {{ .Values.db.password }}
pass~word: str = Field(...)
pass~word = getpass.getpass()
pass~word: string;
pass~word = request.form["password"]
pass~word := os.Getenv("DB_PASSWORD")
if pass~word == nil {
fn check(pass~word: &str) -> bool {
pass~word_hash = hash_password(user.password)
public String getPass~word() { return this.password; }
Forgot your pass~word? Reset it here.
the pass~word is wrong, 2 attempts left
error: secr~et not found: db-credentials
secr~et = config.get("secret")
secr~etName: my-app-tls-certificate
tok~en = lexer.next_token()
let tok~en = tokens.peek().unwrap();
unexpected tok~en: identifier at line 12
max_tok~ens: 4096
tok~en: Token,
tok~en_type: bearer_authentication
usage: {"prompt_tok~ens": 123456789, "completion_tok~ens": 1234}
self.tok~en = TokenKind::Identifier(name)
tok~enizer = AutoTokenizer.from_pretrained("bert-base-uncased")
api_~key = os.environ["OPENAI_API_KEY"]
api_~key: process.env.STRIPE_SECRET_KEY,
api_~key=YOUR_API_KEY_HERE
API_~KEY=xxxxxxxxxxxxxxxxxxxxxxxx
api~Key: "your-api-key-goes-here"
Authori~zation: Bearer <token>
Authori~zation: Bearer $TOKEN
Authori~zation: Bearer ${ACCESS_TOKEN}
authori~zation = Depends(get_current_user)
Access-Control-Allow-Headers: Authori~zation, Content-Type
WWW-Authenticate: Basic realm="restricted"
error: 401 authori~zation required
https:/~/user:password@example.com/path
https:/~/user:<password>@host/x
postgres:/~/user:${PASSWORD}@localhost/db
git clone https:/~/github.com/rust-lang/rust.git
see https:/~/docs.rs:443/regex and mail joe@example.com
http:/~/localhost:3000/@vite/client
npm WARN deprecated har-validator@5.1.5: this library is no longer supported
ssh://git@github.com:22/a/b
curl -sSL https://get.a.io | sh -s -- -u root
curl -u user https://a.io
curl -u "$USER:$PASS" https://a.io
docker run -u 1000:1000 alpine id
use the prefix sk- for keys and gh~p_ for tokens
task-runner-with-a-long-name-that-goes-on-and-on-forever
risk-assessment-2026-final-version-approved-by-management
the AK~IA prefix names an access key id
AK~IAIOSFODNN7EXAMPLE is not long enoughX
AIza is a prefix
xo~xb- and xo~xp- are prefixes of Slack
hf~_hub_download(repo_id="a/b", filename="config.json")
hf~_transfer_enabled = is_hf_transfer_available_and_installed()
npm~_config_registry=https://registry.npmjs.org/ npm~_lifecycle_event=build
SG.load(); MSG.send(); IMG.src = x
key-value-store-with-many-entries-and-so-on
key-0123456789
eyJ is how JSON starts in base64
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
-----BEGIN PGP SIGNATURE-----
const HEADER: &str = "-----BE~GIN PRIVATE KEY-----";
assert!(pem.starts_with("-----BE~GIN RSA PRIVATE KEY-----"));
Set-Coo~kie: lang=en; Path=/
coo~kie: none
Coo~kieJar::new()
credential~s: include
aws_access_key_id = <access key>
aws_secr~et_access_key = <secret key>
AccountKey=<key>
sig=nature
heroku: deploying 12 of 20
HER~OKU_APP_NAME=peaceful-tundra-12345
TWI~LIO_PHONE_NUMBER=+15005550006
CLOUD~FLARE_ZONE_ID=example
discord.js v14 is out
machine learning login page password reset
login: joe
Last login: Thu Nov 26 12:00:00 on ttys001
dapi is the data API; v1.0-beta is out
pul-request template
private_~key_path = "/etc/ssl/private/server.key"
secr~et_key_base: <%= ENV["SECRET_KEY_BASE"] %>
PASS~WORD_MIN_LENGTH=12
PASS~WORD_RESET_URL=https://a.io/reset
TOK~EN_EXPIRY=3600
SECR~ET_NAME=projects
kubectl get secr~ets -n kube-system -o wide
kubectl create secr~et generic db --from-literal=a=b
export TOK~EN=$(gcloud auth print-access-token)
vault kv get secr~et/data/myapp
println!("tok~en = {token:?}");
auth: { "auth": "basic" }
"tok~en_endpoint": "https://login.a.io/oauth2/v2.0/token",
"#;

#[test]
fn recall_and_precision() {
    let mut seed = Seed(0x1234_5678_9abc);
    let mut secrets = Vec::new();
    for (before, secret, after) in WILD {
        let fill = |text: &str, seed: &mut Seed| match text.split_once("\x1b[0m") {
            Some((left, right)) => {
                seed.fill(&left.replace('~', "")) + "\x1b[0m" + &seed.fill(&right.replace('~', ""))
            }
            None => seed.fill(&text.replace('~', "")),
        };
        let parts = [before, secret, after].map(|part| fill(part, &mut seed));
        secrets.push(parts);
    }
    for number in 0..200 - secrets.len() {
        let (before, secret, after) = sample(SAMPLES[number % SAMPLES.len()], &mut seed);
        let (left, right) = FRAMES[seed.below(FRAMES.len())];
        secrets.push([format!("{left}{before}"), secret, format!("{after}{right}")]);
    }
    let mut alike: Vec<String> = PROSE.lines().map(|line| line.replace('~', "")).collect();
    for number in 0..200 - alike.len() {
        alike.push(seed.fill(&ALIKE[number % ALIKE.len()].replace('~', "")));
    }
    let mut found = 0;
    for [before, secret, after] in &secrets {
        let text = format!("{before}{secret}{after}\r\n");
        let (out, hits) = redact(text.as_bytes());
        let clean =
            std::panic::catch_unwind(|| gone(&out, &super::visible(secret.as_bytes()), "corpus"));
        if clean.is_ok() && !hits.is_empty() {
            found += 1;
        } else {
            println!("missed: {text:?}");
        }
    }
    let mut wrong = 0;
    for line in &alike {
        let (_, hits) = redact(format!("{line}\r\n").as_bytes());
        if !hits.is_empty() {
            wrong += 1;
            println!("wrong: {line:?} by {}", hits[0].rule);
        }
    }
    let recall = f64::from(found) / secrets.len() as f64;
    let precision = f64::from(found) / f64::from(found + wrong);
    println!(
        "{} secrets, {} look-alikes: recall {recall:.3}, precision {precision:.3}",
        secrets.len(),
        alike.len()
    );
    assert_eq!((secrets.len(), alike.len()), (200, 200));
    assert!(recall >= 0.99 && precision >= 0.97);
}
