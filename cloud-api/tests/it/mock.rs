//! A small HTTP server that answers as a test tells it to. It stands in for a provider, a model or an object store.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

pub(crate) struct Mock {
    pub(crate) address: String,
    pub(crate) seen: Arc<Mutex<Vec<Request>>>,
}

impl Mock {
    /// Answers each request with the status and JSON body that `answer` returns; one that hangs holds no other up.
    pub(crate) fn start(answer: impl Fn(&str, &Request) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (own, log, answer) = (address.clone(), seen.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (own, log, answer) = (own.clone(), log.clone(), answer.clone());
                thread::spawn(move || serve(&stream, &own, &log, &*answer));
            }
        });
        Self { address, seen }
    }
}

fn serve(
    stream: &TcpStream,
    own: &str,
    log: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&str, &Request) -> (u16, String),
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut headers, mut length) = (String::new(), String::new(), 0_usize);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        headers.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let request = Request { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() };
    log.lock().unwrap().push(request.clone());
    let (status, text) = answer(own, &request);
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\netag: \"x\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    (&mut &*stream).write_all(format!("{head}{text}").as_bytes()).ok()
}
