//! Parts of the HTTP interface that are common to all requests.

pub mod api_path;
pub mod arrival;
pub mod body;
mod forwarded;
pub mod host;
pub mod operations;
pub mod origin;
pub mod path;
pub mod pem;
pub mod problem;
pub mod query;
pub mod real_names;
pub mod request_id;
pub mod secrets;
pub mod temporary;
