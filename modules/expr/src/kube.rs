//! The value types of Kubernetes' CEL libraries, without CEL: quantities,
//! addresses, URLs and versions, as Go's packages read and print them.

pub mod formats;
pub mod net;
pub mod quantity;
pub mod semver;
pub mod url;
