//! A server that answers each path with itself, and `/missing` with 404.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// Starts it on a free port, for as long as the program runs.
pub fn start() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    Ok(url)
}

fn serve(stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let status = if path == "/missing" {
            "404 Not Found"
        } else {
            "200 OK"
        };
        let body = format!("\"{path}\"");
        let length = body.len();
        write!(
            writer,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        if head.contains("HTTP/1.0") {
            return Ok(());
        }
    }
}
