//! The value types of Kubernetes' CEL libraries, without CEL: quantities,
//! addresses, URLs and versions, as Go's packages read and print them.

pub mod format;
pub mod net;
pub mod quantity;
pub mod semver;
pub mod url;
