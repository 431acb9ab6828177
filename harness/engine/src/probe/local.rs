//! Placeholder for the control.
