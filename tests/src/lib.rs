//! Integration tests of croft, all of them in `tests/`: the test binary `it`
//! links the host once for all that need no server.
//!
//! There is nothing in this library; it gives the tests a package.
