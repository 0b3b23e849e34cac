//! The virtual workspace of an APIExport: its URL, and the clusters behind it.

use kube::Client;

use super::{Cluster, Connection, connection};
use host_core::name::LogicalCluster;

/// The parts of a virtual workspace's URL:
/// `https://HOST/services/apiexport/<provider's logical cluster>/<export>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    url: String,
    provider: LogicalCluster,
    export: String,
}

/// A URL is not that of a virtual workspace.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not the URL of an APIExport's virtual workspace: expected https://HOST/services/apiexport/CLUSTER/EXPORT, with or without `/clusters/*`"
)]
pub struct NotAVirtualWorkspace(String);

impl Address {
    /// Reads a URL with or without `/clusters/*`.
    ///
    /// # Errors
    /// The URL is of another form.
    pub fn parse(url: &str) -> Result<Address, NotAVirtualWorkspace> {
        let not = || NotAVirtualWorkspace(url.to_owned());
        let trimmed = url.trim_end_matches('/');
        let base = trimmed.strip_suffix("/clusters/*").unwrap_or(trimmed);
        let (_, rest) = base.split_once("/services/apiexport/").ok_or_else(not)?;
        let (provider, export) = rest.split_once('/').ok_or_else(not)?;
        if export.is_empty() || export.contains('/') {
            return Err(not());
        }
        Ok(Address { url: base.to_owned(), provider: provider.parse().map_err(|_| not())?, export: export.to_owned() })
    }

    /// The URL without `/clusters/*`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the workspace that the export lives in, on the same server.
    pub fn home(&self) -> String {
        let server = self.url.split("/services/").next().unwrap_or_default();
        format!("{server}/clusters/{}", self.provider)
    }

    /// The logical cluster of the workspace that the export lives in.
    pub fn provider(&self) -> &LogicalCluster {
        &self.provider
    }

    /// The export's name.
    pub fn export(&self) -> &str {
        &self.export
    }
}

/// A virtual workspace that requests can be sent to.
#[derive(Clone)]
pub struct VirtualWorkspace {
    address: Address,
    client: Client,
}

impl VirtualWorkspace {
    /// Connects to it with a connection's credentials.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn open(connection: &Connection, address: Address) -> Result<VirtualWorkspace, connection::Error> {
        let client = connection.client(address.url())?;
        Ok(VirtualWorkspace { address, client })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The read-only view across all workspaces that bound the export.
    pub fn all(&self) -> Cluster {
        Cluster::below(&self.client, "/clusters/*".to_owned())
    }

    /// One of those workspaces.
    pub fn cluster(&self, cluster: &LogicalCluster) -> Cluster {
        Cluster::below(&self.client, format!("/clusters/{cluster}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_with_and_without_the_wildcard() {
        let base = "https://192.168.0.136:6443/services/apiexport/128nz9url32dp92n/somethings.kro.run";
        for url in [base.to_owned(), format!("{base}/"), format!("{base}/clusters/*")] {
            let address = Address::parse(&url).unwrap();
            assert_eq!(address.url(), base);
            assert_eq!(address.home(), "https://192.168.0.136:6443/clusters/128nz9url32dp92n");
            assert_eq!((address.provider().as_str(), address.export()), ("128nz9url32dp92n", "somethings.kro.run"));
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "https://host:6443/clusters/root",
            "https://host/services/apiexport/abc",
            "https://host/services/apiexport/abc/",
            "https://host/services/apiexport/abc/x/clusters/one",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
