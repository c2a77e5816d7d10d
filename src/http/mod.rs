//! Parts of the HTTP interface that are common to all requests.

pub mod api_path;
pub mod body;
pub mod host;
pub mod operations;
pub mod origin;
pub mod path;
pub mod problem;
pub mod query;
pub mod request_id;
pub mod secrets;
pub mod temporary;
