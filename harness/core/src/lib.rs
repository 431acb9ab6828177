//! Types, parsers and judgement of patchgate; no I/O, no clock.

pub mod evidence;
