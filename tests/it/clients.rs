//! Clients that are let in where nobody else is.

use axum::http::StatusCode;
use cloudmanager_emulator::seed::{self, Seed};

use crate::app::TestApp;

/// What a caller signs requests with.
#[derive(Clone, Debug)]
pub struct Identity {
    pub api_key: String,
    pub token: String,
}

/// What an emulator takes that lets everybody in.
pub fn anybody() -> Identity {
    Identity { api_key: "ci".into(), token: "token".into() }
}

/// Clients of the demo's organisation and of another one, each with its roles. Their secrets are
/// their names and `-secret`.
const CLIENTS: [(&str, &str, &str); 8] = [
    ("owner", "1", "businessOwner"),
    ("deployer", "1", "deploymentManager"),
    ("manager", "1", "programManager"),
    ("developer", "1", "developer"),
    ("engineer", "1", "customerSuccessEngineer"),
    ("nobody", "1", ""),
    ("several", "1", "developer, customerSuccessEngineer, programManager"),
    ("stranger", "2", "businessOwner, deploymentManager"),
];

/// The organisation of the client `stranger`.
pub const OTHER_ORGANISATION: &str = "Other@AdobeOrg";

/// The demo with [`CLIENTS`] beside its own.
pub fn seed_with_clients() -> Seed {
    let other = format!("  - {{ id: \"2\", imsOrgId: {OTHER_ORGANISATION}, imsTenantId: o }}");
    let clients = CLIENTS.map(|(id, tenant, roles)| {
        format!(
            "  - {{ clientId: {id}, clientSecret: {id}-secret, tenantId: \"{tenant}\", \
             technicalAccountId: {id}@techacct.adobe.com, roles: [{roles}] }}\n"
        )
    });
    let demo = include_str!("../../src/seed/demo.yaml");
    let clients = format!("{other}\nclients:\n{}", clients.concat());
    seed::read(&demo.replacen("clients:\n", &clients, 1)).unwrap()
}

impl TestApp {
    /// Gets a token for one of the clients of [`seed_with_clients`].
    pub async fn sign_in(&self, client: &str) -> Identity {
        self.sign_in_with(client, &format!("{client}-secret")).await
    }

    /// Gets a token for a client with this secret.
    pub async fn sign_in_with(&self, client: &str, secret: &str) -> Identity {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope=openid"
        );
        let answer = self.post_form("/ims/token/v3", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        Identity { api_key: client.into(), token }
    }
}
