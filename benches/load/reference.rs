//! What axum itself can do: a route that answers bytes from memory.

use std::error::Error;
use std::io::Write;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use tokio::net::TcpListener;

/// The argument by which this program is started as the reference server.
pub const MODE: &str = "reference";

/// Answers the bytes of a file at `/`, until it is killed.
pub async fn serve(file: &str) -> Result<(), Box<dyn Error>> {
    let body = Bytes::from(std::fs::read(file)?);
    let answer = move || {
        let body = body.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], body) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    axum::serve(listener, Router::new().route("/", get(answer))).await?;
    Ok(())
}
