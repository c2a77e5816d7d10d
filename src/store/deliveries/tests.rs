use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::write::{RECORD, REPEAT};
use super::*;
use crate::domain::delivery::{Attempted, Next};

/// How many deliveries are pending, each in a queue of its own.
const PENDING: i64 = 40_000;

/// A database with one subscriber, and [`PENDING`] deliveries to it.
async fn overloaded() -> (TempDir, Database) {
    let directory = TempDir::new().unwrap();
    let database = Database::open(&directory.path().join("a.db"), None).await.unwrap();
    let mut tx = begin(&database).await;
    for statement in [
        "INSERT INTO tenants VALUES (1, 'o', 't')",
        "INSERT INTO webhooks VALUES (1, 1, 'c', 's', 'http://127.0.0.1:9/', '[\"all\"]', NULL)",
        "INSERT INTO deliveries (webhook_id, event_id, kind, published_at, program_id, \
         pipeline_id, execution_id) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1) \
         SELECT 1, n, 'pipelineExecutionEnd', n, 4, 1, n FROM n",
        // The newest are due first, as when the older ones wait for another attempt.
        "INSERT INTO queues SELECT 1, execution_id, $1 - execution_id FROM deliveries",
    ] {
        sqlx::query(statement).bind(PENDING).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    (directory, database)
}

#[allow(clippy::disallowed_methods, reason = "memory has nothing of this database")]
async fn begin(database: &Database) -> crate::store::Transaction {
    Database::begin(database).await.unwrap()
}

fn answered(due: DueDelivery) -> Attempted {
    let attempt = Attempt {
        at: Timestamp::from_millis(PENDING),
        reply: Reply::Status(200),
        answer: None,
        duration: 1,
    };
    Attempted { delivery: due.delivery, attempt, next: Next::Over(DeliveryStatus::Delivered) }
}

#[tokio::test]
async fn the_work_for_a_delivery_does_not_grow_with_the_other_queues_of_a_subscriber() {
    let (_directory, database) = overloaded().await;
    let statements = [DUE, LIST].into_iter().chain(RECORD).chain(REPEAT);
    for statement in statements {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .fetch_all(&mut *database.reader().await.unwrap())
                .await
                .unwrap();
        let details: Vec<_> = plan.iter().map(|(.., detail)| detail.as_str()).collect();
        let slow = details.iter().find(|detail| detail.contains("deliveries_by_webhook"));
        assert_eq!(slow, None, "{statement}: {details:?}");
    }
    database.close().await.unwrap();
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "it is about real time")]
async fn recording_attempts_is_fast_while_many_deliveries_are_pending() {
    let (_directory, database) = overloaded().await;
    let begin_time = Instant::now();
    let webhook = WebhookId::new(1);
    let due = list_due(&database, webhook, Timestamp::MAX, 1000).await.unwrap();
    let attempted: Vec<_> = due.deliveries.into_iter().map(answered).collect();
    assert_eq!(attempted.len(), 1000);
    let mut tx = begin(&database).await;
    record(&mut tx, &attempted).await.unwrap();
    repeat(&mut tx, attempted[0].delivery.id, Timestamp::MIN).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count_pending(&database).await.unwrap(), PENDING - 999);
    // With a walk through all pending deliveries for each attempt, this takes 13 s and more.
    assert!(begin_time.elapsed() < Duration::from_secs(5), "{:?}", begin_time.elapsed());
    database.close().await.unwrap();
}
