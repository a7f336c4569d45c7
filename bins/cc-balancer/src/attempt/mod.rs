//! One attempt at a task: from the lease to what came of it.

mod carry;
mod check;
pub(crate) mod course;
mod hands;

pub(crate) use carry::{Carried, Job, Tools, carry};
