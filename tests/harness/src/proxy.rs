//! A network that can be watched and broken: a reverse proxy on loopback, plain
//! HTTP in front and kcp's TLS behind.
//!
//! It takes one request a connection, which is slow and simple: what it is for
//! is to see every request, and to fail at the very moment that a test names.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};
use serde_json::{Value, json};

use crate::Api;

/// One request that went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Such as `PATCH`.
    pub method: String,
    /// With its query.
    pub path: String,
}

impl Seen {
    /// Whether it asks to be told of changes as they come.
    pub fn is_watch(&self) -> bool {
        let watches = self.path.contains("watch=true") || self.path.contains("watch=1");
        // A watch begins with a list in pages, which is repeated while nobody serves the kind.
        watches
            || self.path.contains("limit=100&")
            || self.path.ends_with("limit=100")
            || self.path.contains("limit=500")
    }

    /// Whether it changes something. Leases are renewed by the clock, whatever a test
    /// is about.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD") && !self.is_about_a_lease()
    }

    /// Whether it is about a Lease.
    pub fn is_about_a_lease(&self) -> bool {
        self.path.contains("/coordination.k8s.io/")
    }
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to the client.
    Pass,
    /// The connection ends without it: kcp has done what was asked, and the
    /// client does not learn of it.
    Drop,
}

type Judge = Box<dyn FnMut(&Seen) -> Verdict + Send>;
type Herald = Box<dyn FnMut(&Seen) + Send>;
type Stand = Box<dyn FnMut(&Seen) -> Option<(u16, Value)> + Send>;

/// A running proxy. Dropping it ends it.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    tls: Arc<ClientConfig>,
    /// Cut: nothing gets through.
    cut: AtomicBool,
    refused: AtomicUsize,
    ended: AtomicBool,
    seen: Mutex<Vec<Seen>>,
    judge: Mutex<Option<Judge>>,
    herald: Mutex<Option<Herald>>,
    stand: Mutex<Option<Stand>>,
    /// Shown in place of what kcp has.
    shown: Mutex<Option<Shown>>,
    shows: Condvar,
    /// The administrator's token.
    token: String,
    /// The token that is asked for in its place.
    required: Mutex<Option<String>>,
    /// Writes to paths with this text take so long.
    slow: Mutex<Option<(String, Duration)>>,
    /// So do reads of these that are not watches, so many of them.
    slow_reads: Mutex<Option<(String, Duration, usize)>>,
    /// Writes of statuses with more bytes are refused.
    largest: Mutex<Option<usize>>,
    /// Watches of paths with this text are held back.
    held: Mutex<Option<String>>,
    released: Condvar,
    /// Open connections, so that a cut can end them.
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Starts a proxy in front of the server of `api`, whose base URL is
    /// `upstream`.
    pub fn start(api: &Api, upstream: &str) -> Result<Proxy> {
        let mut roots = RootCertStore::empty();
        for certificate in api.authority() {
            roots.add(certificate.to_vec().into()).context("kcp's CA is not a certificate")?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
        let upstream = upstream.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            tls,
            cut: AtomicBool::default(),
            refused: AtomicUsize::default(),
            ended: AtomicBool::default(),
            seen: Mutex::default(),
            judge: Mutex::default(),
            herald: Mutex::default(),
            stand: Mutex::default(),
            shown: Mutex::default(),
            shows: Condvar::new(),
            token: api.token().to_owned(),
            required: Mutex::default(),
            slow: Mutex::default(),
            slow_reads: Mutex::default(),
            largest: Mutex::default(),
            held: Mutex::default(),
            released: Condvar::new(),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Ok(Proxy { address, shared })
    }

    /// Such as `http://127.0.0.1:34567`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has every write judged once kcp has answered it, one after the other.
    pub fn judge(&self, judge: impl FnMut(&Seen) -> Verdict + Send + 'static) {
        *lock(&self.shared.judge) = Some(Box::new(judge));
    }

    /// Has something done before a write reaches kcp, for one write after the
    /// other.
    pub fn before(&self, herald: impl FnMut(&Seen) + Send + 'static) {
        *lock(&self.shared.herald) = Some(Box::new(herald));
    }

    /// Has requests answered in kcp's place, which does not hear of them; where there
    /// is no answer, kcp is asked.
    pub fn answer(&self, answer: impl FnMut(&Seen) -> Option<(u16, Value)> + Send + 'static) {
        *lock(&self.shared.stand) = Some(Box::new(answer));
    }

    /// Shows these objects in place of those that kcp lists at paths with a text. What
    /// watches them lists them again when others are shown.
    pub fn show(&self, path: &str, items: Vec<Value>) {
        let mut shown = lock(&self.shared.shown);
        let version = shown.as_ref().map_or(1, |before| before.version + 1);
        *shown = Some(Shown { path: path.to_owned(), items, version });
        self.shared.shows.notify_all();
    }

    /// Refuses whoever does not give this token, and lets whoever does be the
    /// administrator.
    pub fn require(&self, token: &str) {
        *lock(&self.shared.required) = Some(token.to_owned());
    }

    /// Has kcp answer everything again.
    pub fn forward(&self) {
        *lock(&self.shared.stand) = None;
    }

    /// Holds back what watches of paths with this text tell, or lets all of it
    /// through again.
    pub fn hold(&self, text: Option<&str>) {
        *lock(&self.shared.held) = text.map(str::to_owned);
        self.shared.released.notify_all();
    }

    /// Has every write to a path with this text take so long before it reaches kcp,
    /// each by itself.
    pub fn slow(&self, text: &str, pause: Duration) {
        *lock(&self.shared.slow) = Some((text.to_owned(), pause));
    }

    /// Has so many reads of paths with this text, watches left out, take so long before
    /// they reach kcp, each by itself.
    pub fn slow_to_read(&self, text: &str, pause: Duration, times: usize) {
        *lock(&self.shared.slow_reads) = Some((text.to_owned(), pause, times));
    }

    /// Refuses writes of statuses that have more bytes, as a server in between may do.
    pub fn largest_status(&self, bytes: usize) {
        *lock(&self.shared.largest) = Some(bytes);
    }

    /// Lets every write through again.
    pub fn pardon(&self) {
        *lock(&self.shared.judge) = None;
    }

    /// The requests since the last call, but for those about leases, which come by
    /// the clock.
    pub fn take(&self) -> Vec<Seen> {
        let mut seen = std::mem::take(&mut *lock(&self.shared.seen));
        seen.retain(|seen| !seen.is_about_a_lease());
        seen
    }

    /// How many connections were refused since the last call.
    pub fn take_refused(&self) -> usize {
        self.shared.refused.swap(0, Ordering::SeqCst)
    }

    /// Cuts every connection and refuses new ones, or lets them through again.
    pub fn cut(&self, cut: bool) {
        self.shared.cut.store(cut, Ordering::SeqCst);
        if cut {
            for stream in lock(&self.shared.open).drain(..) {
                // It may have ended by itself.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.cut(true);
        self.hold(None);
        *lock(&self.shared.shown) = None;
        self.shared.shows.notify_all();
        // Wakes the thread that accepts, which then ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Waits until the watch is not held back any more.
    fn wait_for(&self, watch: &Seen) {
        let is_held = |held: &mut Option<String>| held.as_ref().is_some_and(|text| watch.path.contains(text));
        drop(self.released.wait_while(lock(&self.held), is_held));
    }

    /// How long a request is kept waiting.
    fn pause(&self, seen: &Seen) -> Option<Duration> {
        if seen.is_write() {
            let slow = lock(&self.slow);
            return slow.as_ref().filter(|(text, _)| seen.path.contains(text)).map(|(_, pause)| *pause);
        }
        let mut slow = lock(&self.slow_reads);
        let is_slow = |text: &str, times: usize| times > 0 && !seen.is_watch() && seen.path.contains(text);
        let (_, pause, times) = slow.as_mut().filter(|(text, _, times)| is_slow(text, *times))?;
        *times -= 1;
        Some(*pause)
    }
}

#[expect(clippy::disallowed_methods, reason = "it is the network that is slow, and nothing is waited for")]
fn linger(pause: Duration) {
    thread::sleep(pause);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if shared.cut.load(Ordering::SeqCst) {
            shared.refused.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        let shared = Arc::clone(shared);
        // A broken connection is what this is for: the client sees it break.
        thread::spawn(move || serve(stream, &shared).ok());
    }
}

/// What Kubernetes answers to what is too much for it.
const TOO_LARGE: &str = "HTTP/1.1 413 Payload Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
     {\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"Request entity too large\",\
     \"reason\":\"RequestEntityTooLarge\",\"code\":413}";

fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    lock(&shared.open).push(client.try_clone()?);
    let mut reader = BufReader::new(client.try_clone()?);
    let required = lock(&shared.required).clone();
    let key = required.as_deref().map(|theirs| Key { theirs, own: &shared.token });
    let Some(Request { seen, bytes: request, allowed }) = read_request(&mut reader, key)? else { return Ok(()) };
    lock(&shared.seen).push(seen.clone());
    if !allowed {
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Unauthorized", "code": 401});
        return reply(client, 401, &status);
    }
    let shown = lock(&shared.shown).clone();
    if let Some(shown) = shown.filter(|shown| seen.path.contains(&shown.path)) {
        return present(client, &seen, &shown, shared);
    }
    let answer = lock(&shared.stand).as_mut().and_then(|stand| stand(&seen));
    if let Some((code, body)) = answer {
        return reply(client, code, &body);
    }
    if let (true, Some(herald)) = (seen.is_write(), lock(&shared.herald).as_mut()) {
        herald(&seen);
    }
    let largest = lock(&shared.largest).unwrap_or(usize::MAX);
    if seen.is_write() && seen.path.contains("/status?") && request.len() > largest {
        client.write_all(TOO_LARGE.as_bytes())?;
        return client.shutdown(Shutdown::Both);
    }
    if let Some(pause) = shared.pause(&seen) {
        linger(pause);
    }
    let mut server = connect(shared)?;
    server.write_all(&request)?;
    server.flush()?;
    if seen.is_watch() {
        return stream(&mut server, &mut client, || shared.wait_for(&seen));
    }
    let mut answer = Vec::new();
    until_closed(server.read_to_end(&mut answer))?;
    let verdict = match lock(&shared.judge).as_mut() {
        Some(judge) if seen.is_write() => judge(&seen),
        _ => Verdict::Pass,
    };
    if verdict == Verdict::Pass && !shared.cut.load(Ordering::SeqCst) {
        client.write_all(&answer)?;
    }
    client.shutdown(Shutdown::Both)
}

/// Objects that are shown at paths with a text.
#[derive(Clone)]
struct Shown {
    path: String,
    items: Vec<Value>,
    version: u64,
}

fn present(mut client: TcpStream, seen: &Seen, shown: &Shown, shared: &Shared) -> io::Result<()> {
    if !seen.path.contains("watch=true") {
        let metadata = json!({"resourceVersion": shown.version.to_string()});
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": shown.items});
        return reply(client, 200, &list);
    }
    let head = b"HTTP/1.1 200 Test\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    client.write_all(head)?;
    let known = |version: u64| seen.path.contains(&format!("resourceVersion={version}"));
    let same = |shown: &mut Option<Shown>| shown.as_ref().is_some_and(|shown| known(shown.version));
    drop(shared.shows.wait_while(lock(&shared.shown), same));
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410});
    let event = json!({"type": "ERROR", "object": status});
    client.write_all(format!("{event}\n").as_bytes())?;
    client.shutdown(Shutdown::Both)
}

fn reply(mut client: TcpStream, code: u16, body: &Value) -> io::Result<()> {
    // A line is one event of a watch.
    let body = format!("{body}\n");
    let head = format!("HTTP/1.1 {code} Test\r\nContent-Type: application/json\r\nConnection: close\r\n");
    client.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    client.shutdown(Shutdown::Both)
}

/// A token that clients have to give, and the one that kcp gets.
#[derive(Clone, Copy)]
struct Key<'a> {
    theirs: &'a str,
    own: &'a str,
}

struct Request {
    seen: Seen,
    bytes: Vec<u8>,
    allowed: bool,
}

/// The request, made to end its connection: then its answer ends there too.
fn read_request(reader: &mut impl BufRead, key: Option<Key<'_>>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
    let mut request = line.into_bytes();
    let (mut length, mut allowed) = (0, key.is_none());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let lower = header.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if header.trim().is_empty() {
            break;
        }
        match &key {
            Some(Key { theirs, own }) if lower.starts_with("authorization:") => {
                allowed = header.trim().ends_with(&format!(" {theirs}"));
                request.extend(format!("Authorization: Bearer {own}\r\n").into_bytes());
            }
            _ if lower.starts_with("connection:") => {}
            _ => request.extend(header.into_bytes()),
        }
    }
    request.extend(b"Connection: close\r\n\r\n");
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    request.extend(body);
    Ok(Some(Request { seen: Seen { method, path }, bytes: request, allowed }))
}

fn connect(shared: &Shared) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let host = shared.upstream.split(':').next().unwrap_or_default().to_owned();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::clone(&shared.tls), name).map_err(io::Error::other)?;
    let socket = TcpStream::connect(&shared.upstream)?;
    socket.set_nodelay(true)?;
    Ok(StreamOwned::new(connection, socket))
}

/// Hands on what comes as it comes.
fn stream(server: &mut impl Read, client: &mut TcpStream, wait: impl Fn()) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = until_closed(server.read(&mut buffer))?;
        if read == 0 {
            return client.shutdown(Shutdown::Both);
        }
        wait();
        client.write_all(&buffer[..read])?;
    }
}

/// Go's server ends a connection without saying so in TLS.
fn until_closed(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whole_and_ends_its_connection() {
        let text = b"PATCH /x?watch=0 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}rest";
        let Request { seen, bytes: request, allowed } = read_request(&mut &text[..], None).unwrap().unwrap();
        assert!(allowed);
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PATCH", "/x?watch=0"));
        assert!(seen.is_write() && !seen.is_watch());
        let expected = "PATCH /x?watch=0 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        assert_eq!(String::from_utf8(request).unwrap(), expected);
    }

    #[test]
    fn only_who_has_the_key_is_let_in_and_as_somebody_else() {
        let text = b"GET / HTTP/1.1\r\nAuthorization: Bearer theirs\r\n\r\n";
        for (theirs, lets_in) in [("theirs", true), ("eirs", false)] {
            let request = read_request(&mut &text[..], Some(Key { theirs, own: "own" })).unwrap().unwrap();
            assert_eq!(request.allowed, lets_in);
            let expected = "GET / HTTP/1.1\r\nAuthorization: Bearer own\r\nConnection: close\r\n\r\n";
            assert_eq!(String::from_utf8(request.bytes).unwrap(), expected);
        }
    }
}
