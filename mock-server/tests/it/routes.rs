//! The routes beside the inventory.

use crate::support::{AT_ONCE, Client, call, profiled};
use mock_server::journal::Route;

#[test]
fn users_are_the_fifty_of_the_library() {
    let server = profiled(AT_ONCE);
    let answer = call(server.addr(), "GET", "/users?id=3");
    assert_eq!(answer.body, mock_server::users::body(1));
    assert_eq!(server.journal().counts(Route::Users, "3").completed, 1);
}

#[test]
fn files_have_the_size_that_is_asked_for() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    let answer = client.call("GET", "/files/7");
    assert_eq!(answer.body.len(), 20_600);
    assert_eq!(answer.json()["id"], "7");
    assert_eq!(client.call("GET", "/files/7").body, answer.body);
    assert_ne!(client.call("GET", "/files/8").body, answer.body);
    for size in [64, 1_000_000] {
        let answer = client.call("GET", &format!("/files/x?size={size}"));
        assert_eq!(answer.body.len(), size);
        answer.json();
    }
    for size in ["0", "-1", "x", "999999999999"] {
        assert_eq!(
            client.call("GET", &format!("/files/x?size={size}")).status,
            400,
            "{size}"
        );
    }
}

#[test]
fn a_status_is_answered_with_any_method() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    for (method, code) in [
        ("GET", 200),
        ("POST", 418),
        ("DELETE", 503),
        ("PUT", 204),
        ("GET", 304),
    ] {
        let answer = client.call(method, &format!("/status/{code}"));
        assert_eq!(answer.status, code);
    }
    for code in ["100", "600", "x", ""] {
        assert_eq!(
            client.call("GET", &format!("/status/{code}")).status,
            404,
            "{code}"
        );
    }
}

#[test]
fn echo_tells_what_arrived() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    client.write(
        b"POST /echo?a=1&a=%20b HTTP/1.1\r\nHost: m\r\nX-Odd: one\r\nX-Odd: two\r\nContent-Length: 5\r\n\r\nhello",
    );
    let seen = client.read(false).json();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["query"], serde_json::json!([["a", "1"], ["a", " b"]]));
    assert_eq!(seen["body"], "hello");
    let odd: Vec<_> = seen["headers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| field[0] == "x-odd")
        .map(|field| field[1].as_str().unwrap())
        .collect();
    assert_eq!(odd, ["one", "two"]);

    client.write(
        b"PUT /echo HTTP/1.1\r\nHost: m\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    assert_eq!(client.read(true).status, 100);
    client.write(b"ok");
    assert_eq!(client.read(false).json()["body"], "ok");
}

#[test]
fn a_body_beyond_the_limit_is_413() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    client.write(b"POST /echo HTTP/1.1\r\nHost: m\r\nContent-Length: 9999999\r\n\r\n");
    assert_eq!(client.read(false).status, 413);
}
