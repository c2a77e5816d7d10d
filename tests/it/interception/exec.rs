//! `exec --intercept`: a command and its children find the emulator under the real names.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::signed;
use crate::app::CODE_QUALITY;
use crate::process::program;

fn exec(directory: &Path) -> Command {
    let mut command = program(directory);
    command.env("TMPDIR", directory).env("PATH", "/usr/bin:/bin").env("HOME", directory);
    command.args(["exec", "--intercept", "--pace", "immediate"]);
    command
}

/// The variables that a command gets, and what the files contain that they name.
fn variables(command: &mut Command) -> BTreeMap<String, String> {
    let script = "env; for f in $SSL_CERT_FILE $CURL_CA_BUNDLE $NODE_EXTRA_CA_CERTS $WGETRC; do \
                  echo \"$f.content=$(tr '\\n' ' ' <$f)\"; done";
    let output = command.args(["--", "sh", "-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_command_gets_what_each_kind_of_client_needs() {
    let directory = TempDir::new().unwrap();
    let variables = variables(&mut exec(directory.path()));
    let proxy = &variables["https_proxy"];
    assert!(proxy.starts_with("http://127.0.0.1:"), "{proxy}");
    assert_eq!(proxy, &variables["HTTPS_PROXY"]);
    assert_eq!(variables["no_proxy"], "127.0.0.1,localhost");
    assert_eq!(variables["GIT_CONFIG_COUNT"], "1");
    assert_eq!(variables["GIT_CONFIG_KEY_0"], "http.https://git.cloudmanager.adobe.com/.proxy");
    assert_eq!(&variables["GIT_CONFIG_VALUE_0"], proxy);
    assert!(variables["NODE_OPTIONS"].starts_with("--require \""));
    assert!(variables["JAVA_TOOL_OPTIONS"].contains("-Dhttps.proxyHost=127.0.0.1 "));
    let token = &variables["AIO_IMS_CONTEXTS_CLI_ACCESS__TOKEN_TOKEN"];
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_eq!(variables["AIO_CLOUDMANAGER__ORGID"], crate::app::ORGANISATION);
    assert!(!variables.contains_key("AIO_CLOUDMANAGER_BASE__URL"));
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
        let content = &variables[&format!("{}.content", variables[name])];
        assert!(content.contains("-----BEGIN CERTIFICATE-----"), "{name}: {content}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn what_the_user_has_set_stays() {
    let directory = TempDir::new().unwrap();
    let company = directory.path().join("company.pem");
    std::fs::write(&company, "the company's authority").unwrap();
    std::fs::write(directory.path().join(".aio"), r#"{"ims":{"contexts":{"mine":{}}}}"#).unwrap();
    std::fs::write(directory.path().join(".wgetrc"), "timeout = 7").unwrap();
    let mut command = exec(directory.path());
    for name in ["CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        command.env(name, &company);
    }
    command
        .env("NODE_OPTIONS", "--no-warnings")
        .env("JAVA_TOOL_OPTIONS", "-Da=b")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "user.name")
        .env("GIT_CONFIG_VALUE_0", "me")
        .env("NO_PROXY", "corp.example,.adobe.io");
    let variables = variables(&mut command);
    for name in ["CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        let content = &variables[&format!("{}.content", variables[name])];
        assert!(content.starts_with("the company's authority -----BEGIN"), "{name}: {content}");
    }
    let settings = &variables[&format!("{}.content", variables["WGETRC"])];
    assert!(settings.starts_with("timeout = 7 ca_certificate = "), "{settings}");
    assert!(variables["NODE_OPTIONS"].starts_with("--no-warnings --require "));
    assert!(variables["JAVA_TOOL_OPTIONS"].starts_with("-Da=b -Dhttps.proxyHost="));
    assert_eq!(variables["GIT_CONFIG_COUNT"], "2");
    assert_eq!(variables["GIT_CONFIG_VALUE_0"], "me");
    assert!(variables["GIT_CONFIG_VALUE_1"].starts_with("http://127.0.0.1:"));
    assert_eq!(variables["NO_PROXY"], "corp.example,127.0.0.1,localhost");
    assert!(!variables.contains_key("AIO_IMS_CONTEXTS_CLI_ACCESS__TOKEN_TOKEN"));
}

#[test]
fn a_script_with_curl_needs_no_change() {
    let directory = TempDir::new().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/real-names/curl.sh");
    let output = exec(directory.path()).args(["--", "sh", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Set for the run of the test below that is the client.
const IS_CLIENT: &str = "IS_CLIENT";

/// The test starts itself as the client: a Rust program that knows nothing of the emulator.
#[tokio::test]
async fn a_rust_program_with_the_system_s_roots_needs_no_change() {
    if std::env::var_os(IS_CLIENT).is_some() {
        return call_with_reqwest().await;
    }
    let directory = TempDir::new().unwrap();
    let name = "interception::exec::a_rust_program_with_the_system_s_roots_needs_no_change";
    let mut command = exec(directory.path());
    command.env(IS_CLIENT, "1").arg("--").arg(std::env::current_exe().unwrap());
    let output = command.args(["--exact", name]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

async fn call_with_reqwest() {
    let client = reqwest::Client::new();
    let token = client.post("https://ims-na1.adobelogin.com/ims/token/v3");
    let form = "grant_type=client_credentials&client_id=ci&client_secret=s3cret";
    let token = token.header("content-type", crate::app::FORM).body(form).send().await.unwrap();
    let token: Value = token.json().await.unwrap();
    assert!(token["access_token"].is_string());
    let start = client.put(format!("https://cloudmanager.adobe.io{CODE_QUALITY}/execution"));
    let started = signed(start).send().await.unwrap();
    let location = started.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("https://cloudmanager.adobe.io/api/"), "{location}");
    let execution: Value = signed(client.get(location)).send().await.unwrap().json().await.unwrap();
    let steps = execution["_embedded"]["stepStates"].as_array().unwrap();
    let build = steps.iter().find(|step| step["action"] == "build").unwrap();
    let log = &build["_links"]["http://ns.adobe.com/adobecloud/rel/pipeline/logs"]["href"];
    let log = format!("https://cloudmanager.adobe.io{}", log.as_str().unwrap());
    let log = signed(client.get(log)).send().await.unwrap();
    assert!(log.text().await.unwrap().contains("BUILD SUCCESS"));
}

#[test]
fn the_authority_s_certificate_stays_until_it_is_renewed() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    let ca = |arguments: &[&str]| {
        program(directory.path()).args(["ca", "--ca-dir", "ca"]).args(arguments).output().unwrap()
    };
    let first = ca(&[]);
    assert!(first.status.success());
    assert!(first.stdout.starts_with(b"-----BEGIN CERTIFICATE-----\n"));
    assert_eq!(ca(&[]).stdout, first.stdout);
    assert_eq!(ca(&["--der"]).stdout[..2], [0x30, 0x82]);
    let renewed = ca(&["--renew"]).stdout;
    assert_ne!(renewed, first.stdout);
    assert_eq!(ca(&[]).stdout, renewed);

    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.path().join("ca"), open).unwrap();
    let arguments = ["--ephemeral", "--listen", "127.0.0.1:0", "--tls", "0", "--ca-dir", "ca"];
    let refused = program(directory.path()).args(arguments).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("others have access to the authority's directory"), "{told}");
    assert_eq!(ca(&[]).status.code(), Some(2));
}
