//! What IMS says of tokens and their owners.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use serde_json::{Value, json};

use crate::app::{Answer, FORM, ORGANISATION, TestApp, signed_by};
use crate::clients::{Identity, OTHER_ORGANISATION};

const VALIDATE: &str = "/ims/validate_token/v1";

const INVALIDATE: &str = "/ims/invalidate_token/v2";

async fn ask(app: &TestApp, path: &str, token: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    app.fetch(Method::GET, path, &[("authorization", &authorization)]).await
}

async fn token(app: &TestApp, client: &str) -> String {
    let form =
        format!("grant_type=client_credentials&client_id={client}&client_secret={client}-secret");
    let answer = app.post_form("/ims/token/v3/", &form).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn post(app: &TestApp, path: &str, token: &str, form: &str) -> Answer {
    let request = Request::post(path).header("content-type", FORM);
    let request = request.header("authorization", format!("Bearer {token}"));
    app.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

/// The organisations of a token's owner.
async fn organisations(app: &TestApp, token: &str) -> Vec<String> {
    let answer = ask(app, "/ims/organizations/v6/", token).await.json();
    let listed = answer.as_array().unwrap().iter().map(|it| {
        let reference = &it["orgRef"];
        let text = |name: &str| reference[name].as_str().unwrap().to_owned();
        format!("{}@{}", text("ident"), text("authSrc"))
    });
    listed.collect()
}

#[tokio::test]
async fn a_token_tells_its_owner_and_the_owners_organisation() {
    let app = TestApp::strict(Pace::Immediate).await;
    let deployer = token(&app, "deployer").await;
    let user = "deployer@techacct.adobe.com";
    for path in ["/ims/userinfo/v2", "/ims/userinfo/v2/"] {
        let info = ask(&app, path, &deployer).await.json();
        assert_eq!((&info["sub"], &info["email"]), (&json!(user), &json!(user)));
    }
    for path in ["/ims/profile/v1", "/ims/profile/v1/"] {
        let profile = ask(&app, path, &deployer).await.json();
        assert_eq!((&profile["userId"], &profile["email"]), (&json!(user), &json!(user)));
    }
    assert_eq!(organisations(&app, &deployer).await, [ORGANISATION]);
    let stranger = token(&app, "stranger").await;
    assert_eq!(organisations(&app, &stranger).await, [OTHER_ORGANISATION]);
    for path in ["/ims/userinfo/v2", "/ims/profile/v1", "/ims/organizations/v6"] {
        for answer in [ask(&app, path, "x").await, app.fetch(Method::GET, path, &[]).await] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer.json()["error"], "invalid_token");
        }
    }
}

#[tokio::test]
async fn where_everybody_is_let_in_all_organisations_are_listed() {
    let app = TestApp::immediate().await;
    assert!(organisations(&app, "any").await.contains(&ORGANISATION.to_owned()));
    let info = ask(&app, "/ims/userinfo/v2", "any").await.json();
    assert_eq!(info["sub"], "anybody@techacct.adobe.com");
    assert_eq!(ask(&app, VALIDATE, "any").await.json(), json!({"valid": true}));
}

fn validity(answer: &Answer) -> (bool, Value) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    (body["valid"].as_bool().unwrap(), body["reason"].clone())
}

#[tokio::test]
async fn a_token_is_valid_until_it_ends() {
    let app = TestApp::strict(Pace::Immediate).await;
    let good = token(&app, "deployer").await;
    let form = format!("type=access_token&client_id=deployer&token={good}");
    for answer in [
        ask(&app, VALIDATE, &good).await,
        app.fetch(Method::GET, &format!("{VALIDATE}?{form}"), &[]).await,
        app.post_form("/ims/validate_token/v1/", &form).await,
        post(&app, VALIDATE, &good, "type=access_token").await,
    ] {
        assert_eq!(validity(&answer), (true, Value::Null));
        assert_eq!(answer.json()["token"]["client_id"], "deployer");
    }
    let other = post(&app, VALIDATE, &good, "client_id=owner").await;
    assert_eq!(validity(&other), (false, json!("client_id_mismatch")));
    assert_eq!(validity(&ask(&app, VALIDATE, "x").await), (false, json!("bad_signature")));
    for (form, description) in [
        ("", "missing token parameter"),
        ("token=x&type=refresh_token", "the type must be access_token"),
    ] {
        let answer = app.post_form(VALIDATE, form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
        assert_eq!(answer.json()["error_description"], description);
    }
    app.advance("P1D").await;
    assert_eq!(validity(&ask(&app, VALIDATE, &good).await), (false, json!("token_expired")));
}

#[tokio::test]
async fn a_token_that_is_made_invalid_opens_nothing_any_more() {
    let app = TestApp::strict(Pace::Immediate).await;
    let caller = Identity { api_key: "deployer".into(), token: token(&app, "deployer").await };
    let programs = async |caller: &Identity| {
        let request = signed_by(caller, Method::GET, "/api/programs").body(Body::empty()).unwrap();
        app.send(request).await.status
    };
    assert_eq!(programs(&caller).await, StatusCode::OK);
    for form in [
        "",
        "client_id=unknown",
        "client_id=owner",
        "client_id=deployer&client_secret=wrong",
        "client_id=deployer&token=x",
    ] {
        let answer = post(&app, INVALIDATE, &caller.token, form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form}");
    }
    assert_eq!(programs(&caller).await, StatusCode::OK);

    let form = "token_type=access_token&cascading=all&client_id=deployer\
                &client_secret=deployer-secret";
    let form = format!("{form}&token={}", caller.token);
    let answer = app.post_form("/ims/invalidate_token/v2/", &form).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})));
    assert_eq!(programs(&caller).await, StatusCode::UNAUTHORIZED);
    let validity = validity(&ask(&app, VALIDATE, &caller.token).await);
    assert_eq!(validity, (false, json!("token_invalidated")));
    let again = Identity { api_key: "deployer".into(), token: token(&app, "deployer").await };
    assert_eq!(programs(&again).await, StatusCode::OK);
}
