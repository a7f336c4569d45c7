//! One attempt at a task: from the lease to what came of it.

mod carry;
pub(crate) mod course;
mod hands;
#[cfg(test)]
mod tests;

pub(crate) use carry::{Carried, Job, Tools, carry};
