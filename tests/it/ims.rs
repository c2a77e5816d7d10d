//! Tokens, as IMS gives them.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::app::{Answer, CODE_QUALITY, FORM, ORGANISATION, START, TestApp};
use crate::clients::Identity;

const TOKEN: &str = "/ims/token/v3";

const EXCHANGE: &str = "/ims/exchange/jwt";

const GOOD: &str =
    "grant_type=client_credentials&client_id=deployer&client_secret=deployer-secret&scope=openid";

fn claims(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap()
}

fn assert_refused(answer: &Answer, status: u16, error: &str, description: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.json(), json!({"error": error, "error_description": description}));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_client_that_knows_its_secret_gets_a_token_with_the_claims_of_ims() {
    let app = TestApp::strict(Pace::Immediate).await;
    for path in [
        TOKEN,
        "/ims/token/v3/",
        "/ims/token/v2",
        "/ims/token/v2/",
        "/ims/token/v1",
        "/ims/token/v1/",
    ] {
        let answer = app.post_form(path, GOOD).await;
        let mut claims = claims(&answer);
        let id = claims.as_object_mut().unwrap().remove("id").unwrap();
        assert!(id.as_str().unwrap().ends_with("_ew1"), "{id}");
        assert_eq!(
            claims,
            json!({"type": "access_token", "client_id": "deployer",
                "user_id": "deployer@techacct.adobe.com", "as": "ims-na1", "scope": "openid",
                "created_at": "1772704800000", "expires_in": "86400000"})
        );
        let mut told = answer.json();
        told.as_object_mut().unwrap().remove("access_token");
        assert_eq!(told, json!({"token_type": "bearer", "expires_in": 86399}));
    }
}

#[tokio::test]
async fn parameters_may_be_in_the_query_string_or_in_both() {
    let app = TestApp::strict(Pace::Immediate).await;
    let (in_query, in_body) = GOOD.split_at(GOOD.find("&client_secret").unwrap());
    for (query, body) in [(GOOD, ""), (in_query, &in_body[1..])] {
        let answer = app.post_form(&format!("{TOKEN}?{query}"), body).await;
        assert_eq!(claims(&answer)["client_id"], "deployer");
    }
    // Without a content type, as some clients send forms.
    let request = Request::post(TOKEN).body(Body::from(GOOD)).unwrap();
    assert_eq!(app.send(request).await.status, StatusCode::OK);
    let request = Request::post(TOKEN).header("content-type", format!("{FORM}; charset=UTF-8"));
    assert_eq!(app.send(request.body(Body::from(GOOD)).unwrap()).await.status, StatusCode::OK);
    // A scope is told, not checked, and need not be there.
    let answer = app.post_form(TOKEN, GOOD.strip_suffix("&scope=openid").unwrap()).await;
    assert_eq!(claims(&answer)["scope"], "openid,AdobeID,read_organizations");
}

#[tokio::test]
async fn requests_for_a_token_that_do_not_fit_are_refused() {
    let app = TestApp::strict(Pace::Immediate).await;
    let long = "x".repeat(3000);
    let without = |name: &str| {
        let pairs: Vec<_> = GOOD.split('&').filter(|pair| !pair.starts_with(name)).collect();
        pairs.join("&")
    };
    let with = |name: &str, value: &str| format!("{}&{name}={value}", without(name));
    for (form, error, description) in [
        (String::new(), "invalid_request", "missing grant_type parameter"),
        (without("grant_type"), "invalid_request", "missing grant_type parameter"),
        (without("client_id"), "invalid_request", "missing client_id parameter"),
        (with("client_id", ""), "invalid_request", "missing client_id parameter"),
        (without("client_secret"), "invalid_request", "missing client_secret parameter"),
        (
            with("grant_type", "password"),
            "unsupported_grant_type",
            "the grant_type must be client_credentials",
        ),
        (with("client_id", "unknown"), "invalid_client", "invalid client_id parameter"),
        (with("client_id", "Deployer"), "invalid_client", "invalid client_id parameter"),
        (with("client_secret", "wrong"), "invalid_client", "invalid client_secret parameter"),
        (
            with("client_secret", "deployer-secre"),
            "invalid_client",
            "invalid client_secret parameter",
        ),
        (with("client_secret", &long), "invalid_client", "invalid client_secret parameter"),
        (format!("{GOOD}&client_id=owner"), "invalid_request", "repeated client_id parameter"),
        (format!("{GOOD}&scope=openid"), "invalid_request", "repeated scope parameter"),
        (with("client_id", &long), "invalid_request", "the client_id is too long"),
        (with("scope", &long), "invalid_scope", "the scope is too long"),
        (
            with("client_secret", "%ff"),
            "invalid_request",
            "the client_secret parameter is not valid UTF-8",
        ),
    ] {
        for answer in
            [app.post_form(TOKEN, &form).await, app.post_form(&format!("{TOKEN}?{form}"), "").await]
        {
            assert_refused(&answer, 400, error, description);
        }
    }
    let twice = app.post_form(&format!("{TOKEN}?client_id=deployer"), GOOD).await;
    assert_refused(&twice, 400, "invalid_request", "repeated client_id parameter");
}

#[tokio::test]
async fn bodies_that_are_no_forms_are_refused() {
    let app = TestApp::strict(Pace::Immediate).await;
    let description = "the body must be application/x-www-form-urlencoded or multipart/form-data";
    for content_type in ["application/json", "multipart/mixed; boundary=x", "text/plain", ""] {
        for path in [TOKEN, EXCHANGE] {
            let request = Request::post(path).header("content-type", content_type);
            let answer = app.send(request.body(Body::from(GOOD)).unwrap()).await;
            assert_refused(&answer, 400, "invalid_request", description);
        }
    }
    let request = Request::post(TOKEN).header("content-type", FORM);
    let answer = app.send(request.body(Body::from(vec![0xff, 0xfe, 0])).unwrap()).await;
    assert_refused(&answer, 400, "invalid_request", "missing grant_type parameter");
    let answer = app.post_form(TOKEN, &"x".repeat(2 * 1024 * 1024)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = app.fetch(Method::GET, &format!("{TOKEN}?{GOOD}"), &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn parameters_may_be_parts_of_a_body() {
    let app = TestApp::strict(Pace::Immediate).await;
    let part = |name: &str, value: &[u8]| {
        let head = format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    };
    let body = |secret: &[u8]| {
        [
            part("grant_type", b"client_credentials"),
            part("client_id", b"deployer"),
            part("client_secret", secret),
            b"--x--\r\n".to_vec(),
        ]
        .concat()
    };
    let post = async |content_type: &str, body: Vec<u8>| {
        let request = Request::post(TOKEN).header("content-type", content_type);
        app.send(request.body(Body::from(body)).unwrap()).await
    };
    let good = body(b"deployer-secret");
    let multipart = "multipart/form-data; boundary=x";
    assert_eq!(claims(&post(multipart, good.clone()).await)["client_id"], "deployer");

    let answer = post(multipart, body(b"wrong")).await;
    assert_refused(&answer, 400, "invalid_client", "invalid client_secret parameter");
    let answer = post(multipart, body(b"\xff")).await;
    assert_refused(
        &answer,
        400,
        "invalid_request",
        "the client_secret parameter is not valid UTF-8",
    );
    let twice = [part("client_id", b"owner"), good.clone()].concat();
    let answer = post(multipart, twice).await;
    assert_refused(&answer, 400, "invalid_request", "repeated client_id parameter");
    let unreadable = "the body can't be read as multipart/form-data";
    for (content_type, body) in [
        ("multipart/form-data", good.clone()),
        ("multipart/form-data; boundary=y", good.clone()),
        (multipart, good[..good.len() - 20].to_vec()),
        (multipart, GOOD.into()),
        (multipart, Vec::new()),
    ] {
        let answer = post(content_type, body).await;
        assert_refused(&answer, 400, "invalid_request", unreadable);
    }
}

#[tokio::test]
async fn in_open_mode_everybody_gets_a_token_but_not_with_the_wrong_secret_of_a_client() {
    let app = TestApp::immediate().await;
    let form = |id: &str, secret: &str| {
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
    };
    let answer = app.post_form(TOKEN, &form("any", "thing")).await;
    assert_eq!(claims(&answer)["user_id"], "any@techacct.adobe.com");
    let answer = app.post_form(TOKEN, &form("emulator", "emulator")).await;
    assert_eq!(claims(&answer)["user_id"], "emulator@techacct.adobe.com");
    let answer = app.post_form(TOKEN, &form("emulator", "thing")).await;
    assert_refused(&answer, 400, "invalid_client", "invalid client_secret parameter");
    let answer = app.post_form(TOKEN, &form("any", "")).await;
    assert_refused(&answer, 400, "invalid_request", "missing client_secret parameter");
    let exchange = "client_id=any&client_secret=thing&jwt_token=x";
    let answer = app.post_form(EXCHANGE, exchange).await;
    assert_eq!(claims(&answer)["user_id"], "any@techacct.adobe.com");

    // The token names the user, as any JWT does.
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let caller = Identity { api_key: "other".into(), token };
    let path = format!("{CODE_QUALITY}/execution");
    let started = app.request_as(&caller, Method::PUT, &path, "").await;
    assert_eq!(started.json()["user"], "any@techacct.adobe.com");
}

/// What a service account of the client `deployer` says of itself.
fn account() -> Value {
    let now = Timestamp::parse(START).unwrap().as_millis() / 1000;
    json!({
        "exp": now + 60,
        "iss": ORGANISATION,
        "sub": "deployer@techacct.adobe.com",
        "https://ims-na1.adobelogin.com/s/ent_cloudmgr_sdk": true,
        "aud": "https://ims-na1.adobelogin.com/c/deployer",
    })
}

/// A JWT whose signature nobody knows.
fn jwt(claims: &Value) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", encode(r#"{"alg":"RS256"}"#), encode(&claims.to_string()))
}

async fn exchange(app: &TestApp, secret: &str, token: &str) -> Answer {
    let form = format!("client_id=deployer&client_secret={secret}&jwt_token={token}");
    app.post_form(EXCHANGE, &form).await
}

#[tokio::test]
async fn a_service_account_gets_a_token_for_its_jwt() {
    let app = TestApp::strict(Pace::Immediate).await;
    let mut several = account();
    several["aud"] = json!(["https://example.com", account()["aud"]]);
    for account in [account(), several] {
        let answer = exchange(&app, "deployer-secret", &jwt(&account)).await;
        assert_eq!(claims(&answer)["client_id"], "deployer");
        assert_eq!(answer.json()["expires_in"], 86_399_000);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let caller = Identity { api_key: "deployer".into(), token };
        let found = app.request_as(&caller, Method::GET, CODE_QUALITY, "").await;
        assert_eq!(found.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_jwt_that_does_not_speak_for_the_client_is_refused() {
    let app = TestApp::strict(Pace::Immediate).await;
    let now = Timestamp::parse(START).unwrap().as_millis() / 1000;
    let expired = format!("the jwt_token has expired: its exp is {now}, and it is {START}");
    let undecodable = "the jwt_token can't be decoded";
    let no_number = "the claim exp is not a whole number";
    let foreign = "the claim aud does not match the client_id parameter";
    let wrong_iss = "the claim iss is not the client's organization";
    let wrong_sub = "the claim sub is not the client's technical account";
    for (claim, value, error, description) in [
        ("exp", json!(now), "invalid_token", expired.as_str()),
        ("exp", json!(now.to_string()), "invalid_token", no_number),
        ("exp", json!(1e300), "invalid_token", no_number),
        ("exp", json!(null), "invalid_token", no_number),
        ("aud", json!("https://ims-na1.adobelogin.com/c/owner"), "invalid_client", foreign),
        ("aud", json!("deployer"), "invalid_client", foreign),
        ("aud", json!({}), "invalid_client", foreign),
        ("iss", json!("Other@AdobeOrg"), "bad_request", wrong_iss),
        ("iss", json!(5), "bad_request", wrong_iss),
        ("sub", json!("owner@techacct.adobe.com"), "bad_request", wrong_sub),
    ] {
        let mut account = account();
        account[claim] = value;
        let answer = exchange(&app, "deployer-secret", &jwt(&account)).await;
        assert_refused(&answer, 400, error, description);
        account.as_object_mut().unwrap().remove(claim);
        let answer = exchange(&app, "deployer-secret", &jwt(&account)).await;
        assert_refused(&answer, 400, "invalid_token", undecodable);
    }
    let far = json!({"exp": i64::MAX, "iss": ORGANISATION, "sub": account()["sub"],
        "aud": account()["aud"]});
    assert_eq!(exchange(&app, "deployer-secret", &jwt(&far)).await.status, StatusCode::OK);

    let good = jwt(&account());
    let unsigned = good.replacen(&URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), "e30", 1);
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"None"}"#) + &good[good.find('.').unwrap()..];
    for token in [
        "x",
        "a.b",
        "..",
        "e30.e30.c2ln",
        &unsigned,
        &none,
        good.strip_suffix("c2ln").unwrap(),
        &format!("{good}.c2ln"),
        &"x.".repeat(10_000),
    ] {
        let answer = exchange(&app, "deployer-secret", token).await;
        assert_refused(&answer, 400, "invalid_token", undecodable);
    }
    let answer = exchange(&app, "deployer-secret", "").await;
    assert_refused(&answer, 400, "invalid_token", "missing jwt_token parameter");
}

#[tokio::test]
async fn a_service_account_must_know_its_secret() {
    let app = TestApp::strict(Pace::Immediate).await;
    let answer = exchange(&app, "wrong", &jwt(&account())).await;
    assert_refused(&answer, 401, "invalid_client", "invalid client_secret parameter");
    let form = format!("client_id=unknown&client_secret=x&jwt_token={}", jwt(&account()));
    let answer = app.post_form(EXCHANGE, &form).await;
    assert_refused(&answer, 400, "invalid_client", "invalid client_id parameter");
}

#[tokio::test]
async fn calls_to_ims_are_not_journalled_and_foreign_hosts_are_refused() {
    let app = TestApp::strict(Pace::Immediate).await;
    app.post_form(TOKEN, GOOD).await;
    app.post_form(&format!("{TOKEN}?{GOOD}"), "").await;
    assert_eq!(app.get("/_emulator/requests/count").await.json()["count"], 0);
    let request = Request::post(TOKEN).header("host", "evil.example").header("content-type", FORM);
    let answer = app.send(request.body(Body::from(GOOD)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
