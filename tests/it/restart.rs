//! A restart continues every execution with the times that it would have had.

use serde_json::json;

use crate::app::{OVERSEEN, PRODUCTION, TestApp};

#[tokio::test]
async fn a_restart_changes_nothing() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT7.5S").await;
    let before = app.execution(&execution).await.0;
    let app = app.restarted().await;
    assert_eq!(app.execution(&execution).await.0, before);
}

#[tokio::test]
async fn executions_go_on_after_a_restart_as_they_would_have() {
    let mut bodies = Vec::new();
    for restart in [false, true] {
        let mut app = TestApp::new().await;
        let execution = app.start(OVERSEEN).await;
        for by in ["PT0.5S", "PT3S", "PT10S"] {
            app.advance(by).await;
            if restart {
                app = app.restarted().await;
            }
        }
        app.accept(&execution, "stage approval", "pipeline/advance", &json!({"approved": true}))
            .await;
        app.advance("P1D").await;
        if restart {
            app = app.restarted().await;
        }
        app.advance("P20D").await;
        bodies.push(app.execution(&execution).await.0);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0]["status"], "CANCELLED");
}
