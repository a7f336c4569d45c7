//! Secrets in the shape of each rule, built when the tests run: the file holds none.

/// xorshift: the same everywhere.
pub(super) struct Seed(pub(super) u64);

impl Seed {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// Fills a template: `[A-Za-z0-9]{36}` is so many of these bytes, the rest stands for itself.
    pub(super) fn fill(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('[') {
            out.push_str(&rest[..at]);
            let (class, after) = rest[at + 1..].split_once("]{").unwrap();
            let (count, after) = after.split_once('}').unwrap();
            let class = class.as_bytes();
            let mut bytes = Vec::new();
            let mut at = 0;
            while at < class.len() {
                if at + 2 < class.len() && class[at + 1] == b'-' {
                    bytes.extend(class[at]..=class[at + 2]);
                    at += 3;
                } else {
                    bytes.push(class[at]);
                    at += 1;
                }
            }
            for _ in 0..count.parse().unwrap() {
                out.push(char::from(bytes[self.below(bytes.len())]));
            }
            rest = after;
        }
        out + rest
    }
}

/// The rule, what stands before, the secret, what stands after; `~` in it is nothing, so that no
/// prefix stands here whole.
pub(super) const SAMPLES: &[(&str, &str, &str, &str)] = &[
    (
        "aws-access-key-id",
        "aws_access_key_id = ",
        "AK~IA[A-Z2-7]{16}",
        "",
    ),
    (
        "github-pat",
        "git clone with ",
        "gh~p_[A-Za-z0-9]{36}",
        " now",
    ),
    ("github-oauth", "using ", "gh~o_[A-Za-z0-9]{36}", ""),
    ("github-user-token", "using ", "gh~u_[A-Za-z0-9]{36}", ""),
    ("github-app-token", "remote: ", "gh~s_[A-Za-z0-9]{36}", "."),
    (
        "github-refresh-token",
        "refresh=",
        "gh~r_[A-Za-z0-9]{36}",
        "",
    ),
    (
        "github-fine-grained-pat",
        "login ",
        "github~_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
        "",
    ),
    (
        "gitlab-pat",
        "PRIVATE-TOKEN: ",
        "gl~pat-[A-Za-z0-9]{20}",
        "",
    ),
    ("gitlab-token", "runner ", "gl~rt-[A-Za-z0-9]{20}", ""),
    (
        "slack-bot-token",
        "slack: ",
        "xo~xb-[0-9]{11}-[0-9]{12}-[A-Za-z0-9]{24}",
        "",
    ),
    (
        "slack-user-token",
        "slack: ",
        "xo~xp-[0-9]{11}-[0-9]{11}-[0-9]{12}-[a-f0-9]{32}",
        "",
    ),
    (
        "slack-app-token",
        "slack: ",
        "xa~pp-1-A[A-Z0-9]{10}-[0-9]{13}-[a-f0-9]{64}",
        "",
    ),
    (
        "slack-webhook",
        "POST https://",
        "hooks.sl~ack.com/services/T[A-Z0-9]{10}/B[A-Z0-9]{10}/[A-Za-z0-9]{24}",
        "",
    ),
    (
        "stripe-live-key",
        "stripe: ",
        "sk_~live_[A-Za-z0-9]{24}",
        "",
    ),
    ("google-api-key", "key=", "AI~za[A-Za-z0-9_-]{35}", "&x=1"),
    (
        "google-oauth-token",
        "access: ",
        "ya~29.[A-Za-z0-9_-]{120}",
        "",
    ),
    (
        "google-client-secret",
        "id ",
        "GOC~SPX-[A-Za-z0-9_-]{28}",
        "",
    ),
    (
        "anthropic-api-key",
        "export KEY=",
        "sk-~ant-api03-[A-Za-z0-9_-]{93}AA",
        "",
    ),
    (
        "openai-project-key",
        "key ",
        "sk-~proj-[A-Za-z0-9]{74}T3Blbk~FJ[A-Za-z0-9]{73}",
        "",
    ),
    ("openrouter-api-key", "key ", "sk-~or-v1-[0-9a-f]{64}", ""),
    (
        "openai-api-key",
        "key ",
        "sk-~[A-Za-z0-9]{20}T3Blbk~FJ[A-Za-z0-9]{20}",
        "",
    ),
    ("huggingface-token", "login ", "hf~_[A-Za-z]{34}", ""),
    ("npm-token", "publish ", "np~m_[A-Za-z0-9]{36}", ""),
    (
        "pypi-token",
        "twine ",
        "py~pi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{120}",
        "",
    ),
    ("docker-pat", "login -p ", "dck~r_pat_[A-Za-z0-9_-]{27}", ""),
    ("digitalocean-token", "doctl ", "do~p_v1_[a-f0-9]{64}", ""),
    (
        "sendgrid-api-key",
        "key ",
        "S~G.[A-Za-z0-9_-]{22}.[A-Za-z0-9_-]{43}",
        "",
    ),
    ("mailgun-api-key", "api:", "ke~y-[0-9a-f]{32}", ""),
    (
        "mailchimp-brevo-key",
        "key ",
        "xkey~sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        "",
    ),
    (
        "twilio-auth-token",
        "TWI~LIO_AUTH_TOKEN=",
        "[0-9a-f]{32}",
        "",
    ),
    (
        "telegram-bot-token",
        "https://api.telegram.org/bot [0-9]{10}:",
        "AA~[A-Za-z0-9_-]{33}",
        "/getMe",
    ),
    (
        "discord-token",
        "DISC~ORD_TOKEN=",
        "M[A-Za-z0-9]{23}.[A-Za-z0-9]{6}.[A-Za-z0-9_-]{27}",
        "",
    ),
    (
        "discord-webhook",
        "https://discord.com/api/webh~ooks/[1-9]{18}/",
        "[A-Za-z0-9]{68}",
        "",
    ),
    ("heroku-api-key", "key ", "HR~KU-[A-Za-z0-9_-]{58}", ""),
    (
        "heroku-legacy-key",
        "HER~OKU_API_KEY=",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "",
    ),
    ("vault-token", "vault login ", "hv~s.[A-Za-z0-9_-]{90}", ""),
    ("databricks-token", "token ", "da~pi[0-9a-f]{32}", ""),
    (
        "azure-storage-key",
        "EndpointSuffix=core;Account~Key=",
        "[A-Za-z0-9]{86}==",
        ";x",
    ),
    (
        "azure-sas",
        "https://x.blob.core.windows.net/c?sv=2022&si~g=",
        "[A-Za-z0-9]{41}%3D",
        "",
    ),
    (
        "cloudflare-token",
        "CLOUD~FLARE_API_TOKEN=",
        "[A-Za-z0-9_-]{40}",
        "",
    ),
    (
        "cloudflare-origin-ca",
        "ca ",
        "v1~.0-[0-9a-f]{24}-[0-9a-f]{146}",
        "",
    ),
    ("linear-api-key", "key ", "lin~_api_[A-Za-z0-9]{40}", ""),
    ("notion-token", "key ", "nt~n_[0-9]{11}[A-Za-z0-9]{35}", ""),
    (
        "notion-legacy-token",
        "notion ",
        "secr~et_[A-Za-z0-9]{43}",
        "",
    ),
    ("figma-token", "figma ", "fi~gd_[A-Za-z0-9_-]{40}", ""),
    ("shopify-token", "shop ", "shp~at_[0-9a-f]{32}", ""),
    ("square-token", "square ", "sq0~csp-[A-Za-z0-9_-]{43}", ""),
    (
        "grafana-token",
        "grafana ",
        "gl~sa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
        "",
    ),
    (
        "sentry-token",
        "sentry ",
        "sntr~ys_eyJ[A-Za-z0-9]{120}_[A-Za-z0-9]{43}",
        "",
    ),
    ("newrelic-key", "nr ", "NR~AK-[A-Z0-9]{27}", ""),
    (
        "age-secret-key",
        "",
        "AGE-SEC~RET-KEY-1[02-9AC-HJ-NP-Z]{58}",
        "",
    ),
    (
        "terraform-token",
        "tfc [A-Za-z0-9]{14}.",
        "atlas~v1.[A-Za-z0-9]{67}",
        "",
    ),
    (
        "postman-api-key",
        "pm ",
        "PM~AK-[0-9a-f]{24}-[0-9a-f]{34}",
        "",
    ),
    ("atlassian-token", "user:", "ATA~TT3[A-Za-z0-9_-]{180}", ""),
    ("doppler-token", "doppler ", "dp~.pt.[A-Za-z0-9]{43}", ""),
    ("pulumi-token", "pulumi ", "pu~l-[0-9a-f]{40}", ""),
    ("netlify-token", "netlify ", "nf~p_[A-Za-z0-9]{36}", ""),
    ("fly-token", "fly ", "fo~1_[A-Za-z0-9_-]{43}", ""),
    (
        "planetscale-token",
        "ps ",
        "pscale~_tkn_[A-Za-z0-9_]{43}",
        "",
    ),
    ("supabase-token", "sb ", "sb~p_[0-9a-f]{40}", ""),
    ("rubygems-token", "gem ", "ruby~gems_[0-9a-f]{48}", ""),
    (
        "artifactory-key",
        "X-JFrog-Art-Api: ",
        "AK~Cp[A-Za-z0-9]{69}",
        "",
    ),
    (
        "dynatrace-token",
        "dt ",
        "dt0~c01.[A-Z0-9]{24}.[A-Z0-9]{64}",
        "",
    ),
    (
        "tailscale-key",
        "--authkey ",
        "tsk~ey-auth-[A-Za-z0-9]{16}-[A-Za-z0-9]{32}",
        "",
    ),
    ("groq-api-key", "groq ", "gs~k_[A-Za-z0-9]{52}", ""),
    ("xai-api-key", "xai ", "xa~i-[A-Za-z0-9]{80}", ""),
    ("replicate-token", "rep ", "r8~_[A-Za-z0-9]{37}", ""),
    ("perplexity-key", "ppl ", "pp~lx-[A-Za-z0-9]{48}", ""),
    ("onepassword-token", "op ", "ops~_eyJ[A-Za-z0-9]{300}", ""),
    (
        "buildkite-circleci-token",
        "ci ",
        "CCI~PAT_[A-Za-z0-9]{22}_[0-9a-f]{40}",
        "",
    ),
    ("sonarqube-token", "sonar ", "sq~p_[0-9a-f]{40}", ""),
    ("prefect-readme-key", "prefect ", "pn~u_[A-Za-z0-9]{36}", ""),
    (
        "jwt",
        "id: ",
        "ey~J[A-Za-z0-9_-]{60}.ey~J[A-Za-z0-9_-]{120}.[A-Za-z0-9_-]{43}",
        "",
    ),
    (
        "authorization-basic",
        "> Authori~zation: Basic ",
        "[A-Za-z0-9]{30}==",
        "",
    ),
    (
        "authorization-bearer",
        "> Authori~zation: Bearer ",
        "[A-Za-z0-9_-]{40}",
        "",
    ),
    (
        "cookie",
        "< Set-Coo~kie: ",
        "sid=[A-Za-z0-9]{40}",
        "; Path=/; HttpOnly",
    ),
    (
        "url-password",
        "DATABASE=postgres:/~/app:",
        "[A-Za-z0-9!_-]{14}",
        "@db.internal:5432/app",
    ),
    (
        "netrc-password",
        "machine a.io login joe pass~word ",
        "[A-Za-z]{5}[0-9]{2}[A-Za-z]{5}",
        "",
    ),
    (
        "curl-user",
        "$ cu~rl -s -u admin:",
        "[A-Za-z0-9]{14}",
        " https://a.io/",
    ),
    (
        "aws-secret-access-key",
        "aws_sec~ret_access_key = ",
        "[A-Za-z0-9/+]{40}",
        "",
    ),
    (
        "aws-session-token",
        "aws_sess~ion_token = ",
        "[A-Za-z0-9/+]{200}",
        "",
    ),
    (
        "docker-config-auth",
        "  \"au~th\": \"",
        "[A-Za-z0-9]{30}==",
        "\"",
    ),
    (
        "npmrc-auth",
        "//registry.npmjs.org/:_auth~Token=",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{27}",
        "",
    ),
    (
        "kafka-sasl-password",
        "PlainLogin~Module required username=\"a\" pass~word=\"",
        "[A-Za-z0-9]{12}",
        "\";",
    ),
    (
        "password-quoted",
        "pass~word: \"",
        "[A-Za-z0-9!_-]{12}",
        "\"",
    ),
    ("password-env", "DB_PASS~WORD=", "[A-Za-z0-9!_-]{12}", ""),
    (
        "password-assignment",
        "pass~word: ",
        "[A-Za-z]{6}[0-9]{2}[A-Za-z]{4}",
        "",
    ),
    (
        "password-option",
        "mysql --pass~word ",
        "[A-Za-z]{6}[0-9]{2}[A-Za-z]{4}",
        "",
    ),
    (
        "generic-api-key",
        "\"client_sec~ret\": \"",
        "[A-Za-z0-9]{32}",
        "\",",
    ),
];

/// A sample: before, the secret, after.
pub(super) fn sample(entry: (&str, &str, &str, &str), seed: &mut Seed) -> (String, String, String) {
    let fill = |text: &str, seed: &mut Seed| seed.fill(&text.replace('~', ""));
    let before = fill(entry.1, seed);
    let secret = fill(entry.2, seed);
    (before, secret, entry.3.to_owned())
}

/// A private key in PEM.
pub(super) fn pem(name: &str, lines: usize, seed: &mut Seed) -> String {
    let mut text = format!("-----BEG{}IN {name}-----\r\n", "");
    for _ in 0..lines {
        text += &seed.fill("[A-Za-z0-9+/]{64}\r\n");
    }
    text + &seed.fill("[A-Za-z0-9+/]{22}==\r\n") + &format!("-----END {name}-----")
}
