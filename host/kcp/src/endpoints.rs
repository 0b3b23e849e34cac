//! Where an export's virtual workspace is: the APIExportEndpointSlice of the
//! same name in the provider's workspace.
//!
//! kcp fills it in only when the first workspace has bound the export: no
//! endpoint is a reason to wait, not an error.

use contract::{Gvk, Scope};
use serde_json::Value;

use super::{Cluster, Error, virtual_workspace::Address};
use host_core::{
    kinds::Kind,
    object::{self, Target},
};

/// The kind of endpoint slices.
pub fn kind() -> (Gvk, Kind) {
    let kind = "APIExportEndpointSlice";
    let gvk = Gvk { group: "apis.kcp.io".into(), version: "v1alpha1".into(), kind: kind.into() };
    (gvk, Kind { plural: "apiexportendpointslices".into(), scope: Scope::Cluster })
}

/// The endpoints of an endpoint slice, one a shard. Entries that are not the
/// URL of a virtual workspace are left out.
pub fn of(slice: &Value) -> Vec<Address> {
    let endpoints = slice.pointer("/status/endpoints").and_then(Value::as_array).into_iter().flatten();
    endpoints.filter_map(|endpoint| Address::parse(object::text(endpoint, "/url")).ok()).collect()
}

/// Reads the endpoints of an export once. Servers up to 0.27 have them in the
/// export's own status.
///
/// # Errors
/// The server did not answer, or the export does not exist.
pub async fn look_up(provider: &Cluster, export: &str) -> Result<Vec<Address>, Error> {
    let (gvk, address) = kind();
    let target = Target { kind: gvk, namespace: String::new(), name: export.to_owned() };
    let slice = provider.get(&target, &address).await?;
    let found = slice.as_ref().map(of).unwrap_or_default();
    if !found.is_empty() {
        return Ok(found);
    }
    let export = provider.read(&format!("/apis/apis.kcp.io/v1alpha1/apiexports/{export}")).await?;
    let urls = export.pointer("/status/virtualWorkspaces").and_then(Value::as_array).into_iter().flatten();
    Ok(urls.filter_map(|url| Address::parse(object::text(url, "/url")).ok()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slice_without_endpoints_has_none_yet() {
        assert!(of(&json!({"status": {}})).is_empty());
        let url = "https://host/services/apiexport/abc/x.kro.run";
        let slice = json!({"status": {"endpoints": [{"url": url}, {"url": "nonsense"}]}});
        assert_eq!(of(&slice).iter().map(Address::url).collect::<Vec<_>>(), [url]);
    }
}
