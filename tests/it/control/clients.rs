//! `GET /_emulator/clients`, and tokens for them

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use serde_json::json;

use crate::app::{CODE_QUALITY, ORGANISATION, TestApp};
use crate::clients::Identity;
use crate::control::deliveries::text;

const CLIENTS: &str = "/_emulator/clients";

#[tokio::test]
async fn clients_are_listed_without_their_secrets() {
    let app = TestApp::strict(Pace::Immediate).await;
    let answer = app.get(CLIENTS).await;
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    let listed = answer.json()["clients"].as_array().unwrap().clone();
    let ids: Vec<_> = listed.iter().map(|it| text(it, "clientId")).collect();
    assert!(ids.is_sorted() && ids.len() == 9, "{ids:?}");
    let deployer = listed.iter().find(|it| it["clientId"] == "deployer").unwrap();
    assert_eq!(
        *deployer,
        json!({"clientId": "deployer", "technicalAccountId": "deployer@techacct.adobe.com",
            "tenantId": "1", "imsOrgId": ORGANISATION, "roles": ["deploymentManager"]})
    );
}

#[tokio::test]
async fn a_token_for_a_client_has_its_roles() {
    let app = TestApp::strict(Pace::Immediate).await;
    let path = format!("{CODE_QUALITY}/execution");
    for (client, status) in [("developer", 403), ("deployer", 201)] {
        let answer = app.post(&format!("{CLIENTS}/{client}/token"), &json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(86399)));
        let caller =
            Identity { api_key: client.into(), token: text(&body, "access_token").to_owned() };
        let started = app.request_as(&caller, Method::PUT, &path, "").await;
        assert_eq!(started.status.as_u16(), status, "{client}");
    }
    let unknown = app.post(&format!("{CLIENTS}/unknown/token"), &json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
