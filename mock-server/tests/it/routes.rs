//! The routes beside the inventory.

use crate::support::{AT_ONCE, Answer, Client, call, profiled};
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

#[test]
fn encoded_letters_name_the_same_path() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    for (target, status) in [
        ("/inventory/%70roducts?id=1", 200),
        ("/%69nventory/%70%72oducts?id=1", 200),
        ("/%75sers", 200),
        ("/f%69les/%2561", 200),
        ("/status/%32%30%34", 204),
        ("/%65cho", 200),
        ("/%68ealth", 200),
        ("/%6aournal", 200),
        // A slash that is encoded separates nothing.
        ("/inventory%2Fproducts?id=1", 404),
        ("/inventory/products/?id=1", 404),
    ] {
        assert_eq!(client.call("GET", target).status, status, "{target}");
    }
    let journal = server.journal();
    assert_eq!(journal.counts(Route::Products, "1").completed, 2);
    assert_eq!(journal.counts(Route::Files, "%61").completed, 1);
    client.write(b"POST /%65cho HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.read(false).json()["body"], "hello");
}

#[test]
fn head_says_no_length_where_get_says_none() {
    let server = profiled(AT_ONCE);
    let mut client = Client::connect(server.addr());
    for code in [200, 204, 205, 304, 404] {
        let target = format!("/status/{code}");
        let get = client.call("GET", &target);
        let head = client.call("HEAD", &target);
        let length = |answer: &Answer| answer.field("content-length").map(str::to_owned);
        assert_eq!(length(&head), length(&get), "{code}");
        assert_eq!(length(&head).is_none(), matches!(code, 204 | 304), "{code}");
    }
}

#[test]
fn connect_is_refused_in_either_form() {
    let server = profiled(AT_ONCE);
    for target in ["/status/200", "127.0.0.1:80"] {
        assert_eq!(call(server.addr(), "CONNECT", target).status, 501);
    }
    assert_eq!(server.journal().summary.arrived, 0);
}
