//! `/api`

mod cancel;
mod emergency;
mod execution;
mod executions;
mod gates;
mod gateway;
mod logs;
mod pipelines;
mod programs;
mod re_execute;
mod start;
mod timeouts;
mod waiting;
