//! What holds for every request, whatever it asks for.

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
