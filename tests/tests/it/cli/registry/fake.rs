//! A registry that answers what it is told to, and remembers what it was asked.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

/// What is answered.
pub(super) enum Reply {
    /// A status with headers and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Bytes without end, perhaps after a length.
    Endless(Option<u64>),
    /// Nothing, while the connection stays open.
    Silence,
}

impl Reply {
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Reply {
        Reply::Whole(200, Vec::new(), body.into())
    }

    pub(super) fn status(status: u16) -> Reply {
        Reply::Whole(status, Vec::new(), Vec::new())
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) authorization: Option<String>,
}

/// A listener on loopback that ends with the test.
pub(super) struct Fake {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    sent: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Fake {
    /// Answers each request by its path.
    pub(super) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let fake = Fake { port, asked: Arc::default(), sent: Arc::default(), over: Arc::default() };
        let (asked, sent, over) = (Arc::clone(&fake.asked), Arc::clone(&fake.sent), Arc::clone(&fake.over));
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, asked, sent) = (Arc::clone(&answer), Arc::clone(&asked), Arc::clone(&sent));
                thread::spawn(move || drop(serve(stream.unwrap(), &*answer, &asked, &sent)));
            }
        });
        fake
    }

    /// Such as `127.0.0.1:34567`.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same by another name.
    pub(super) fn other_name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// All that was asked.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many bytes of endless answers went out.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Asked) -> Reply + Send + Sync),
    asked: &Mutex<Vec<Asked>>,
    sent: &AtomicU64,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut authorization = None;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) =
            header.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            let _ = name;
            authorization = Some(value.trim().to_owned());
        }
    }
    let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    let request = Asked { line, authorization };
    asked.lock().unwrap().push(request.clone());
    match answer(&request) {
        Reply::Whole(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            write!(stream, "HTTP/1.1 {status} said\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n")?;
            stream.write_all(&body)
        }
        Reply::Endless(length) => {
            let length = length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
            write!(stream, "HTTP/1.1 200 said\r\n{length}connection: close\r\n\r\n")?;
            let chunk = vec![b'x'; 64 << 10];
            loop {
                stream.write_all(&chunk)?;
                sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        }
        Reply::Silence => {
            // Until the other side has had enough.
            let mut rest = Vec::new();
            std::io::Read::read_to_end(&mut reader, &mut rest).map(drop)
        }
    }
}
