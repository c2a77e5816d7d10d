//! The signatures of tokens: by the emulator's own key, and by the certificates of service accounts.

use std::collections::BTreeSet;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, PublicKeyComponents};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::time::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{Answer, CODE_QUALITY, ORGANISATION, START, TestApp};
use crate::clients::Identity;

const KEYS: &str = "/ims/keys";

/// The certificate of a service account with an RSA key, and that key.
const CERTIFICATE: &str = include_str!("fixtures/service-account.pem");
const PRIVATE_KEY: &str = include_str!("fixtures/service-account.key");

/// A certificate with an elliptic curve.
const ELLIPTIC: &str = include_str!("fixtures/elliptic.pem");

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn decode(part: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part.as_str().unwrap()).unwrap()
}

/// The one public key.
async fn key(app: &TestApp, path: &str) -> Value {
    let answer = app.fetch(Method::GET, path, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let keys = answer.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    keys["keys"][0].clone()
}

/// Checks that a token is a JWT that names a key and is signed by it.
fn assert_signed_by(token: &str, key: &Value) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let header: Value =
        serde_json::from_slice(&decode(&json!(signed.split('.').next().unwrap()))).unwrap();
    assert_eq!(header, json!({"alg": "RS256", "kid": key["kid"], "typ": "JWT"}));
    let public = PublicKeyComponents { n: decode(&key["n"]), e: decode(&key["e"]) };
    let verified =
        public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(&json!(signature)));
    assert!(verified.is_ok(), "{token}");
}

async fn can_call(app: &TestApp, caller: &Identity) -> bool {
    let answer = app.request_as(caller, Method::GET, CODE_QUALITY, "").await;
    answer.status == StatusCode::OK
}

#[tokio::test]
async fn the_public_key_verifies_the_tokens() {
    let app = TestApp::strict(Pace::Immediate).await;
    let key = key(&app, KEYS).await;
    for (member, value) in [("kty", "RSA"), ("alg", "RS256"), ("use", "sig"), ("e", "AQAB")] {
        assert_eq!(key[member], value);
    }
    assert_eq!(decode(&key["n"]).len(), 256);
    assert_eq!(self::key(&app, "/ims/keys/").await, key);
    assert_signed_by(&app.sign_in("deployer").await.token, &key);
    assert_signed_by(&app.sign_in("owner").await.token, &key);
}

#[tokio::test]
async fn the_key_is_made_when_it_is_first_needed_and_only_once() {
    let app = TestApp::immediate().await;
    app.start(CODE_QUALITY).await;
    app.post_form("/ims/validate_token/v1", "token=any").await;
    assert_eq!(app.query("SELECT count(*) FROM keys").await, 0);
    let kids = join_all((0..8).map(async |_| key(&app, KEYS).await["kid"].to_string())).await;
    assert_eq!(kids.iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(app.query("SELECT count(*) FROM keys").await, 0, "reads change nothing");
    let form = "grant_type=client_credentials&client_id=any&client_secret=any";
    join_all((0..8).map(async |_| app.post_form("/ims/token/v3", form).await)).await;
    assert_eq!(app.query("SELECT count(*) FROM keys").await, 1);
    let app = app.restarted().await;
    assert_eq!(key(&app, KEYS).await["kid"].to_string(), kids[0]);
}

#[tokio::test]
async fn the_key_stays_with_the_database_file_and_is_not_exported() {
    let app = TestApp::strict(Pace::Immediate).await;
    let made = key(&app, KEYS).await;
    let deployer = app.sign_in("deployer").await;
    let state = app.get("/_emulator/state").await.bytes;
    let modulus = decode(&made["n"]);
    assert!(!state.windows(modulus.len()).any(|bytes| bytes == modulus));

    let app = app.restarted().await;
    assert!(can_call(&app, &deployer).await);
    app.request(Method::POST, "/_emulator/reset", "{}").await;
    assert_eq!(key(&app, KEYS).await, made);
    let other = TestApp::strict(Pace::Immediate).await;
    assert!(!can_call(&other, &deployer).await);
    for app in [&app, &other] {
        let before = key(app, KEYS).await;
        let imported = app.request(Method::PUT, "/_emulator/state", state.clone()).await;
        assert_eq!(imported.status, StatusCode::NO_CONTENT);
        assert_eq!(key(app, KEYS).await, before);
    }
    assert!(can_call(&app, &deployer).await);
    assert!(!can_call(&other, &deployer).await);
}

#[tokio::test]
async fn tokens_of_earlier_releases_have_expired() {
    let app = TestApp::strict(Pace::Immediate).await;
    let current = app.sign_in("deployer").await.token;
    let claims = current.split('.').nth(1).unwrap();
    let token = format!("{}.{claims}.c2ln", encode(r#"{"alg":"HS256","typ":"JWT"}"#));
    let validity = app.post_form("/ims/validate_token/v1", &format!("token={token}")).await;
    assert_eq!(validity.json(), json!({"valid": false, "reason": "token_expired"}));
    let caller = Identity { api_key: "deployer".into(), token };
    let answer = app.request_as(&caller, Method::GET, CODE_QUALITY, "").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error_code"]), (401, &json!("401013")));
}

/// A JWT of the client `account`, signed by the key of [`CERTIFICATE`].
fn jwt(algorithm: &str) -> String {
    let now = Timestamp::parse(START).unwrap().as_millis() / 1000;
    let claims = json!({"exp": now + 60, "iss": ORGANISATION, "sub": "account@techacct.adobe.com",
        "aud": "https://ims-na1.adobelogin.com/c/account"});
    let header = json!({"alg": algorithm, "typ": "JWT"});
    let signed = format!("{}.{}", encode(&header.to_string()), encode(&claims.to_string()));
    let lines: String = PRIVATE_KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = KeyPair::from_pkcs8(&STANDARD.decode(lines).unwrap()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    let padding = if algorithm == "RS512" { &RSA_PKCS1_SHA512 } else { &RSA_PKCS1_SHA256 };
    pair.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn seed_account(app: &TestApp, certificate: &str) -> Answer {
    let seed = json!({"clients": [{"clientId": "account", "clientSecret": "secret",
        "tenantId": "1", "technicalAccountId": "account@techacct.adobe.com",
        "roles": ["deploymentManager"], "certificate": certificate}]});
    app.post("/_emulator/seed", &seed).await
}

async fn exchange(app: &TestApp, token: &str) -> Answer {
    let form = format!("client_id=account&client_secret=secret&jwt_token={token}");
    app.post_form("/ims/exchange/jwt/", &form).await
}

#[tokio::test]
async fn a_jwt_must_be_signed_by_the_key_of_the_certificate() {
    let app = TestApp::strict(Pace::Immediate).await;
    let seeded = seed_account(&app, CERTIFICATE).await;
    assert_eq!(seeded.json()["clients"], 1, "{seeded:?}");
    let app = app.restarted().await;
    let good = jwt("RS256");
    let answer = exchange(&app, &good).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert!(can_call(&app, &Identity { api_key: "account".into(), token }).await);

    let (signed, signature) = good.rsplit_once('.').unwrap();
    let claims = signed.split('.').nth(1).unwrap();
    let other = encode(r#"{"alg":"RS256"}"#);
    for forged in [
        format!("{signed}.c2ln"),
        format!("{other}.{claims}.{signature}"),
        jwt("RS512"),
        jwt("HS256"),
    ] {
        let answer = exchange(&app, &forged).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{forged}");
        assert_eq!(
            answer.json(),
            json!({"error": "invalid_token",
                "error_description": "Could not match JWT signature to any of the bindings"})
        );
    }
}

#[tokio::test]
async fn a_certificate_that_can_not_be_used_is_refused_with_the_seed() {
    let app = TestApp::strict(Pace::Immediate).await;
    let broken = CERTIFICATE.replacen("MII", "MIJ", 1);
    for (certificate, expected) in [
        ("", "must be one certificate as PEM"),
        ("x", "must be one certificate as PEM"),
        (PRIVATE_KEY, "must be one certificate as PEM"),
        (&CERTIFICATE.repeat(2), "must be one certificate as PEM"),
        (&broken, "must be a certificate of X.509 version 3"),
        (ELLIPTIC, "must have an RSA key"),
        (&format!("{CERTIFICATE}{}", "\n".repeat(65_536)), "must have at most 65536 characters"),
    ] {
        let answer = seed_account(&app, certificate).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{certificate}");
        let told = answer.errors();
        assert!(told.contains("clients[0].certificate") && told.contains(expected), "{told}");
    }
}
