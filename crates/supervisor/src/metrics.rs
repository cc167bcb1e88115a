//! What is measured, over time: points, series made of them, and the history that outlives the supervisor.

pub(crate) mod archive;
mod database;
mod health;
pub(crate) mod point;

pub(crate) use archive::{Archive, Question};
pub(crate) use health::HealthHistory;
pub(crate) use point::{GaugeValue, Point};
