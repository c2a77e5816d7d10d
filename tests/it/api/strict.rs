//! Only the clients of the seed are let in, with their own tokens.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloudmanager_emulator::domain::pace::Pace;
use serde_json::{Value, json};

use crate::app::{Answer, CODE_QUALITY, ORGANISATION, TestApp};
use crate::clients::{Identity, OTHER_ORGANISATION};

/// The path of a pipeline that exists, one of something that does not, and one of nothing.
const PATHS: [&str; 3] = [CODE_QUALITY, "/api/program/999", "/api/nothing"];

fn bad_token() -> Value {
    json!({"error_code": "401013", "message": "Oauth token is not valid. Send the header \
        Authorization with Bearer and an access token that has not expired."})
}

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn assert_refused(app: &TestApp, caller: &Identity, status: u16, expected: &Value) {
    for path in PATHS {
        let answer = app.request_as(caller, Method::GET, path, "").await;
        assert_eq!((answer.status.as_u16(), &answer.json()), (status, expected), "{caller:?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn a_client_with_its_token_is_let_in() {
    let app = TestApp::strict(Pace::Immediate).await;
    let deployer = app.sign_in("deployer").await;
    let path = format!("{CODE_QUALITY}/execution");
    let started = app.request_as(&deployer, Method::PUT, &path, "").await;
    assert_eq!(started.status, StatusCode::CREATED);
    assert_eq!(started.json()["user"], "deployer@techacct.adobe.com");
    assert_eq!(app.get("/_emulator/info").await.json()["options"]["auth"], "strict");
}

#[tokio::test]
async fn the_control_api_and_files_need_no_token() {
    let app = TestApp::strict(Pace::Immediate).await;
    let execution = app.start(CODE_QUALITY).await;
    let shown = app.execution(&execution).await;
    let address = app.address(&shown.link("build", "pipeline/logs").unwrap()).await;
    for path in [address.as_str(), "/_emulator/health"] {
        assert_eq!(app.fetch(Method::GET, path, &[]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn tokens_that_were_not_given_here_are_refused() {
    let app = TestApp::strict(Pace::Immediate).await;
    let Identity { api_key, token } = app.sign_in("deployer").await;
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{token}") };
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let owner = encode(&decoded.replace("deployer", "owner"));
    let none = encode(r#"{"alg":"none","typ":"JWT"}"#);
    let execution = app.start(CODE_QUALITY).await;
    let shown = app.execution(&execution).await;
    let file = app.address(&shown.link("build", "pipeline/logs").unwrap()).await;
    let elsewhere = TestApp::strict(Pace::Immediate).await.sign_in("deployer").await.token;
    for forged in [
        "token".to_owned(),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{none}.{owner}."),
        format!("{header}.{owner}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}.{}", &signature[..signature.len() - 1]),
        format!("{header}.{claims}"),
        format!("{token}x"),
        file.trim_start_matches("/files/").to_owned(),
        elsewhere,
    ] {
        let caller = Identity { api_key: api_key.clone(), token: forged };
        assert_refused(&app, &caller, 401, &bad_token()).await;
    }
    for path in [&token, claims] {
        let answer = app.fetch(Method::GET, &format!("/files/{path}"), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let answer = get(&app, PATHS[0], &[("x-api-key", "deployer")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error_code"], "403010");
}

#[tokio::test]
async fn a_token_is_good_for_a_day_of_emulated_time() {
    let app = TestApp::strict(Pace::Immediate).await;
    let deployer = app.sign_in("deployer").await;
    app.advance("PT23H59M59.999S").await;
    let answer = app.request_as(&deployer, Method::GET, PATHS[0], "").await;
    assert_eq!(answer.status, StatusCode::OK);
    app.advance("PT0.001S").await;
    assert_refused(&app, &deployer, 401, &bad_token()).await;
    let renewed = app.sign_in("deployer").await;
    let answer = app.request_as(&renewed, Method::GET, PATHS[0], "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_outlives_a_restart_and_a_reset_but_not_its_client() {
    let app = TestApp::strict(Pace::Immediate).await.restarted().await;
    assert_eq!(app.get(PATHS[0]).await.status, StatusCode::OK);
    let deployer = app.sign_in("deployer").await;
    // What a restarted application is reset to knows only the demo's own client.
    app.request(Method::POST, "/_emulator/reset", "{}").await;
    assert_eq!(app.get(PATHS[0]).await.status, StatusCode::OK);
    assert_refused(&app, &deployer, 401, &bad_token()).await;
    app.post("/_emulator/reset", &json!({"to": "empty"})).await;
    assert_eq!(app.get(PATHS[0]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn clients_follow_the_state_that_is_imported_and_the_seeds_that_are_added() {
    let app = TestApp::strict(Pace::Immediate).await;
    let deployer = app.sign_in("deployer").await;
    let state = app.get("/_emulator/state").await.bytes;
    app.post("/_emulator/reset", &json!({"to": "empty"})).await;
    assert_refused(&app, &deployer, 401, &bad_token()).await;

    let seed = json!({
        "tenants": [{"id": "1", "imsOrgId": ORGANISATION, "imsTenantId": "weretail"}],
        "clients": [{"clientId": "new", "clientSecret": "new-secret", "tenantId": "1",
            "technicalAccountId": "new@techacct.adobe.com"}],
    });
    let added = app.post("/_emulator/seed", &seed).await;
    assert_eq!(added.json()["clients"], 1);
    assert_eq!(app.post("/_emulator/seed", &seed).await.json()["clients"], 0);
    let new = app.sign_in("new").await;
    let answer = app.request_as(&new, Method::GET, "/api/programs", "").await;
    assert_eq!(answer.status, StatusCode::OK);

    let imported = app.request(Method::PUT, "/_emulator/state", state).await;
    assert!(imported.status.is_success(), "{imported:?}");
    let answer = app.request_as(&deployer, Method::GET, PATHS[0], "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_refused(&app, &new, 401, &bad_token()).await;
}

#[tokio::test]
async fn the_api_key_must_be_the_token_s_client() {
    let app = TestApp::strict(Pace::Immediate).await;
    let token = app.sign_in("deployer").await.token;
    let expected = json!({"error_code": "403003", "message": "Api Key is invalid. The header \
        x-api-key must be the client id that the token was given to."});
    for api_key in ["owner", "Deployer", "deploye", "deployer2", "unknown"] {
        let caller = Identity { api_key: api_key.into(), token: token.clone() };
        assert_refused(&app, &caller, 403, &expected).await;
    }
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("x-gw-ims-org-id", ORGANISATION)];
    let answer = get(&app, PATHS[0], &headers).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["error_code"], "403000");
}

#[tokio::test]
async fn the_organisation_must_be_the_client_s() {
    let app = TestApp::strict(Pace::Immediate).await;
    let expected = json!({"error_code": "403025", "message": "Profile is not valid. The header \
        x-gw-ims-org-id must name an organization that exists and that the token belongs to."});
    let stranger = app.sign_in("stranger").await;
    assert_refused(&app, &stranger, 403, &expected).await;

    let bearer = format!("Bearer {}", app.sign_in("deployer").await.token);
    let signed = [("authorization", bearer.as_str()), ("x-api-key", "deployer")];
    for organisation in [OTHER_ORGANISATION, "Unknown@AdobeOrg"] {
        let named = ("x-gw-ims-org-id", organisation);
        let headers: Vec<_> = signed.into_iter().chain([named]).collect();
        let answer = get(&app, PATHS[0], &headers).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::FORBIDDEN, expected.clone()));
    }

    let bearer = format!("Bearer {}", stranger.token);
    let own = [
        ("authorization", bearer.as_str()),
        ("x-api-key", "stranger"),
        ("x-gw-ims-org-id", OTHER_ORGANISATION),
    ];
    assert_eq!(get(&app, "/api/programs", &own).await.status, StatusCode::OK);
    assert_eq!(get(&app, PATHS[0], &own).await.status, StatusCode::NOT_FOUND);
}
